// Nextflow drives `qxbatch worker`: nextflow run main.nf --sessions /data/study/sessions
// With `-profile` or `-process.executor slurm` the same file runs on a cluster.
nextflow.enable.dsl = 2

params.sessions = null
params.options = ''

process packet {
    cpus 2
    errorStrategy 'ignore' // a packet that fails does not stop the others

    input:
    val name

    output:
    val name

    script:
    """
    qxbatch worker '${params.sessions}' --packet='${name}' --check=no --n-procs=${task.cpus} ${params.options}
    """
}

process study {
    input:
    val imported

    script:
    """
    qxbatch '${params.sessions}/inbox/MR' '${params.sessions}' group --check=no
    """
}

workflow {
    packets = Channel.fromList(new File("${params.sessions}/inbox/MR").list().sort() as List)
    study(packet(packets).collect())
}
