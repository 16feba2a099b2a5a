"""Scheduler options are parsed, and units are grouped into tasks and job scripts."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.cluster.allocation import allocated_memory, limited_to_allocation, scratch_folder
from qxbatch.cluster.grouping import JobArray, estimated_seconds, format_ranges, parse_ranges, plan_tasks
from qxbatch.cluster.record import paths_for_container
from qxbatch.cluster.schedulers import LSF, PBS, SCHEDULERS, SGE, SLURM, printed_id
from qxbatch.cluster.script import JobScript, dependency, in_container, script
from qxbatch.problems import UsageError
from qxbatch.settings.parse import parse
from qxbatch.settings.scheduler import merged_scheduler_text, scheduler_spec
from tests.build.study import Study, run_main

GB = 1 << 30


def test_scheduler_options_are_parsed() -> None:
    spec = scheduler_spec(
        "SLURM,time=02:00:00,mem=8G,partition=a,cpus-per-task=4,throttle=20,minutes=10,gres=gpu:1,exclude=n[1,3]"
    )
    assert (spec.name, spec.time, spec.mem, spec.cpus, spec.partition) == ("slurm", 7200, 8 * GB, 4, "a")
    assert (spec.throttle, spec.minutes) == (20, 10.0)
    assert spec.options == (("gres", "gpu:1"), ("exclude", "n[1,3]"))


def test_the_names_of_common_options_ignore_case_and_others_do_not() -> None:
    spec = scheduler_spec("PBS,Time=5,--MEM=8G,l=place=free,L=x")
    assert (spec.time, spec.mem, spec.options) == (300, 8 * GB, (("l", "place=free"), ("L", "x")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CONDOR", "not a known scheduler"),
        ("SLURM,time=soon", "not a time"),
        pytest.param(f"PBS,time={'9' * 5000}", "not a time", id="5000 digits"),
        ("SLURM,time=0", "not a time above 0"),
        ("SLURM,time=0-00:00", "not a time above 0"),
        ("SLURM,mem=much", "not a size"),
        ("SLURM,cpus=0", "whole number"),
        ("SLURM,array=1-3", "set by qxbatch itself"),
        ("SLURM,--output=x", "set by qxbatch itself"),
        ("SLURM,Array=1-3", "set by qxbatch itself"),
        ("SLURM,Time=5,time=6", "twice"),
        ("SLURM,=5", "an option without a name"),
        ("SLURM,mem=1G,mem=2G", "twice"),
        ("SLURM,partition", "has no value"),
        ("SLURM,comment=a\nb", "line break"),
    ],
)
def test_an_invalid_scheduler_option_is_wrong_usage(study: Study, text: str, message: str) -> None:
    run = run_main(str(study.sessions), f"--scheduler={text}")
    assert run.status == 64
    assert message in run.err


@pytest.mark.parametrize("option", ["--wait", "--print-script", "--container=x.sif"])
def test_options_of_a_cluster_need_a_scheduler(study: Study, option: str) -> None:
    missing = study.sessions.with_name("new")
    run = run_main(str(missing), f"--masterinbox={study.inbox}", option)
    assert run.status == 64
    assert "needs --scheduler" in run.err
    assert not missing.exists()


def test_resume_overrides_single_options() -> None:
    assert (
        merged_scheduler_text("SLURM,time=1,mem=8G,exclusive", "SLURM,time=60,qos=x")
        == "SLURM,time=60,mem=8G,exclusive,qos=x"
    )


@pytest.mark.parametrize("override", [",", " "])
def test_resume_with_a_scheduler_without_name_is_wrong_usage(override: str) -> None:
    with pytest.raises(UsageError, match="is not a known scheduler"):
        scheduler_spec(merged_scheduler_text("SLURM,mem=8G", override))


sizes = st.dictionaries(st.integers(0, 10**6), st.integers(0, 10**10), min_size=1, max_size=60)


@given(sizes, st.floats(0.01, 60), st.integers(1, 50))
def test_every_unit_is_in_one_task_and_every_task_in_one_array(
    unit_sizes: dict[int, int], minutes: float, largest: int
) -> None:
    planned = plan_tasks(unit_sizes, minutes, largest)
    assert sorted(number for task in planned.tasks for number in task) == sorted(unit_sizes)
    covered = [task for array in planned.arrays for task in range(array.first, array.first + array.size)]
    assert covered == list(range(len(planned.tasks)))
    assert all(1 <= array.size <= largest for array in planned.arrays)
    for task in planned.tasks:
        assert len(task) == 1 or sum(estimated_seconds(unit_sizes[number]) for number in task) <= minutes * 60
    for array in planned.arrays:
        for task in planned.tasks[array.first : array.first + array.size]:
            assert array.seconds >= sum(estimated_seconds(unit_sizes[number]) for number in task)


def test_large_packets_get_more_memory_and_time_and_start_first() -> None:
    planned = plan_tasks({0: 1000, 1: 5 * GB, 2: 2000}, 5, 100)
    assert planned.tasks == ((1,), (2, 0))
    large, small = planned.arrays
    assert (large.mem, small.mem) == (32 * GB, 2 * GB)
    assert large.seconds > small.seconds
    retry = plan_tasks({1: 5 * GB}, 5, 100, retry_factor=2)
    assert retry.arrays[0].mem == 64 * GB
    assert retry.arrays[0].seconds > large.seconds


@given(st.lists(st.integers(0, 1000)))
def test_ranges_are_read_back_unchanged(numbers: list[int]) -> None:
    assert list(parse_ranges(format_ranges(numbers), max(numbers, default=0) + len(numbers) + 1)) == numbers


def directives(name: str, text: str, size: int = 3) -> list[str]:
    job = JobScript("qxbatch-1", Path("/s/logs"), "0.log", "true", JobArray(4, size, 2 * GB, 5400))
    job_script = script(SCHEDULERS[name], scheduler_spec(text), job)
    prefix = SCHEDULERS[name].prefix
    return [line.removeprefix(f"{prefix} ") for line in job_script.splitlines() if line.startswith(f"{prefix} ")]


def test_the_directives_of_slurm() -> None:
    assert directives("slurm", "SLURM,partition=long,account=a,throttle=2,qos=x,exclusive") == [
        "--requeue",
        "--open-mode=append",
        "--job-name=qxbatch-1",
        "--output=/s/logs/0.log",
        "--time=01:30:00",
        "--mem=2048M",
        "--cpus-per-task=1",
        "--partition=long",
        "--account=a",
        "--array=0-2%2",
        "--qos=x",
        "--exclusive",
        "--signal=B:TERM@60",
    ]
    assert not any(line.startswith("--mem=") for line in directives("slurm", "SLURM,mem-per-cpu=4G"))


def test_the_directives_of_pbs() -> None:
    lines = directives("pbs", "PBS,time=02:00:00,mem=8G,cpus=4,queue=long,throttle=2,place=free")
    assert lines[3:] == [
        "-N qxbatch-1",
        "-o /s/logs/0.log",
        "-l walltime=02:00:00",
        "-l mem=8192mb",
        "-l ncpus=4",
        "-q long",
        "-J 0-2%2",
        "-l place=free",
    ]
    assert not any(line.startswith("-J") for line in directives("pbs", "PBS", size=1)), (
        "PBS refuses an array with one task"
    )


def test_the_directives_of_lsf() -> None:
    assert directives("lsf", "LSF,queue=long,throttle=2")[2:] == [
        "-o /s/logs/0.log",
        "-W 1:30",
        "-M 2048MB",
        "-n 1",
        "-q long",
        '-J "qxbatch-1[1-3]%2"',
        "-wt 1 -wa TERM",
    ]


def test_the_directives_of_sge() -> None:
    assert directives("sge", "SGE,queue=long,throttle=2,cpus=2")[4:] == [
        "-N qxbatch-1",
        "-o /s/logs/0.log",
        "-l h_rt=01:30:00",
        "-l h_vmem=2048M",
        "-pe smp 2",
        "-q long",
        "-t 1-3",
        "-tc 2",
    ]


@pytest.mark.parametrize(
    ("name", "index", "size", "task"),
    [("slurm", "2", 3, "6"), ("pbs", "2", 3, "6"), ("pbs", "", 1, "4"), ("lsf", "1", 3, "4"), ("sge", "3", 3, "6")],
)
def test_a_script_computes_its_task_from_the_array_index(name: str, index: str, size: int, task: str) -> None:
    job = JobScript("x", Path("/l"), "0.log", 'echo "$task"', JobArray(4, size, GB, 60))
    text = script(SCHEDULERS[name], scheduler_spec(name), job)
    env = {SCHEDULERS[name].index_variable: index} if index else {}
    result = subprocess.run(["bash", "-c", text], env=env, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == task


def test_the_memory_of_the_dependent_job_grows_with_the_study() -> None:
    small, large = (JobScript("x", Path("/l"), "0.log", "true", None, unit_count=units) for units in (10, 1_000_000))
    assert "#SBATCH --mem=2049M" in script(SLURM, scheduler_spec("slurm"), small)
    assert "#SBATCH --mem=21122M" in script(SLURM, scheduler_spec("slurm"), large)
    assert "#SBATCH --mem=4096M" in script(SLURM, scheduler_spec("slurm,mem=4G"), large)


def test_dependencies_and_ids_of_each_scheduler() -> None:
    ids = ["7", "8"]
    assert dependency(SLURM, ids) == ["--dependency=afterany:7:8"]
    assert dependency(PBS, ids) == ["-W", "depend=afterany:7:8"]
    assert dependency(LSF, ids) == ["-w", "ended(7) && ended(8)"]
    assert dependency(SGE, ids) == ["-hold_jid", "7,8"]
    outputs = {
        "slurm": ("17;cluster\n", "17"),
        "pbs": ("1234[].pbs.host\n", "1234[].pbs.host"),
        "lsf": ("Job <17> is submitted to queue <long>.\n", "17"),
        "sge": ("17.1-3:1\n", "17"),
    }
    for name, (text, job) in outputs.items():
        assert printed_id(SCHEDULERS[name], text) == job


def test_a_log_path_that_a_scheduler_does_not_support_is_refused() -> None:
    job = JobScript("x", Path("/a b"), "0.log", "true", JobArray(0, 2, GB, 60))
    assert '--output="/a b/0.log"' in script(SLURM, scheduler_spec("slurm"), job)
    for name in ("pbs", "sge"):
        with pytest.raises(UsageError, match="cannot write its logs"):
            script(SCHEDULERS[name], scheduler_spec(name), job)
    with pytest.raises(UsageError):
        script(SLURM, scheduler_spec("slurm"), job._replace(log_folder=Path("/a\n#SBATCH --wrap=x")))


def test_a_container_gets_the_folders_and_variables_of_its_job(tmp_path: Path) -> None:
    program = tmp_path / "singularity"
    program.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    words = ["qxbatch", "worker", "/s x", '--task=1/"$task"']
    text = in_container(SLURM, Path("/i.sif"), [Path("/s x"), Path("/in")], words)
    env = {"PATH": str(tmp_path), "task": "5", "SLURM_CPUS_PER_TASK": "2", "TMPDIR": "/scratch"}
    result = subprocess.run(["/bin/bash", "-c", text], env=env, capture_output=True, text=True, check=True)
    arguments = result.stdout.splitlines()
    assert arguments[:3] == ["exec", "--cleanenv", "--no-home"]
    assert [arguments[k + 1] for k, word in enumerate(arguments) if word == "--bind"] == [
        "/s x:/s x",
        "/in:/in",
        "/scratch",
    ]
    assert [arguments[k + 1] for k, word in enumerate(arguments) if word == "--env"] == [
        "SLURM_CPUS_PER_TASK=2",
        "TMPDIR=/scratch",
    ]
    assert arguments[-5:] == ["/i.sif", "qxbatch", "worker", "/s x", "--task=1/5"]


def test_a_container_gets_a_protocol_that_a_config_file_names(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = study.sessions.parent / "protocol.toml"
    protocol.write_text("[[series]]\nname = 'T1'\n")
    monkeypatch.setenv("HOME", str(protocol.parent))
    options = {"sessionsfolder": str(study.sessions), "protocol": "~/protocol.toml"}
    settings = parse(options, on_command_line={"sessionsfolder": str(study.sessions)}).settings
    assert protocol in paths_for_container(settings, options)


def test_a_task_stays_within_its_allocation(study: Study, tmp_path: Path) -> None:
    settings = parse({"sessionsfolder": str(study.sessions), "n_procs": "16", "parelements": "8"}).settings
    env = {"SLURM_CPUS_PER_TASK": "4", "SLURM_MEM_PER_NODE": "8000", "TMPDIR": str(tmp_path)}
    limited = limited_to_allocation(settings, SLURM, 1000, env)
    assert (limited.n_procs, limited.parelements, limited.work_dir) == (4, 4, tmp_path)
    assert limited.mem == int(8000 * (1 << 20) * 0.9)
    assert limited_to_allocation(settings, SGE, 0, {"NSLOTS": "3"}).n_procs == 3
    with_own_limits = parse({"sessionsfolder": str(study.sessions), "mem": "1G", "work_dir": "/w"}).settings
    assert limited_to_allocation(with_own_limits, SLURM, 0, env).mem == GB
    assert limited_to_allocation(with_own_limits, SLURM, 0, env).work_dir == Path("/w")


def test_memory_per_cpu_is_multiplied_and_zero_means_no_limit() -> None:
    assert allocated_memory(SLURM, {"SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_PER_TASK": "4"}) == 4000 << 20
    assert allocated_memory(SLURM, {"SLURM_MEM_PER_NODE": "0"}) is None
    assert allocated_memory(PBS, {}) is None


def test_the_disk_of_the_node_is_used_if_it_has_enough_space(tmp_path: Path) -> None:
    env = {"SLURM_TMPDIR": str(tmp_path / "missing"), "TMPDIR": str(tmp_path)}
    assert scratch_folder(1000, env) == tmp_path
    assert scratch_folder(1 << 60, env) is None
    assert scratch_folder(1000, {"TMPDIR": "relative"}) is None


def test_a_dry_run_reports_the_tasks_and_writes_nothing(study: Study) -> None:
    from tests.build.dicom import MrSeries

    for name in ("S1_1", "S1_2"):
        study.put(name, MrSeries().files())
    options = ("--pattern=(?P<packet_name>S1)_", "--on-same-session=merge")
    run = run_main(str(study.sessions), "--scheduler=PBS,mem=4G", "--test", *options)
    assert run.status == 0
    assert "1 session in 1 task would be submitted to PBS (1 with 4096 MB for 30 min)." in run.out
    assert not (study.sessions / ".qxbatch").exists()
    assert re.search("S1_1.zip", run.out)
