"""A DAG for the tests: its one task does what the run's conf says."""
import time

from airflow.sdk import dag, task


@dag(dag_id="osdear_jobs", schedule=None)
def jobs():
    @task
    def work(**context):
        conf = context["dag_run"].conf or {}
        print("hello from work", conf, flush=True)
        if conf.get("fail"):
            raise ValueError("told to fail")
        time.sleep(conf.get("sleep", 0))

    work()


jobs()
