"""Tests of qxbatch; `tests.build` makes their inputs."""
