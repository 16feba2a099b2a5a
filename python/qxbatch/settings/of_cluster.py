"""The parameters of imports on a cluster."""

from qxbatch.settings.parameter import Form, Group, Parameter

OF_CLUSTER = (
    Parameter(
        "scheduler",
        "Submit the import to a cluster: `SLURM`, `PBS`, `LSF` or `SGE`, and its options, like `SLURM,time=02:00:00,mem=8G`.",
        group=Group.CLUSTER,
        metavar="SPEC",
    ),
    Parameter(
        "container",
        "Apptainer or Singularity image in which the jobs run. Without it, the installed qxbatch runs.",
        group=Group.CLUSTER,
        metavar="FILE",
    ),
    Parameter(
        "wait",
        "Follow the submitted jobs until they end.",
        group=Group.CLUSTER,
        form=Form.SWITCH,
    ),
    Parameter(
        "print_script",
        "Print the script that submits the jobs instead of submitting them.",
        group=Group.CLUSTER,
        form=Form.SWITCH,
    ),
)
