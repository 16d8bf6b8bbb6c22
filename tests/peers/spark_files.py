"""Run by Spark's own Python: files whose old dates are in the hybrid calendar, and one with bloom filters. usage: spark_files.py FOLDER

Of FOLDER/plain.parquet it makes filtered.parquet. Prints one line of JSON: of each calendar file its name and the rows that Spark reads of
it, days and microseconds since 1970."""
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.environ["OSDEAR_SPARK_HELPERS"])
import osdear_spark

FOLDER = Path(sys.argv[1])
ZONES = ["UTC", "America/Los_Angeles", "Europe/Dublin", "Asia/Kolkata", "GMT+05:30", "+01:00"]
FORMS = ["TIMESTAMP_MICROS", "TIMESTAMP_MILLIS", "INT96"]
# Leap days that only one calendar has, the days of the change, the year 0, the far past; then moments at which clocks were set.
DAYS = [-719893, -719892, -719163, -719164, -682945, -682944, -500000, -354226, -354225, -317702, -141429, -141428, -141427, -141426, -30000, 0, 20000,
        -800000, -1500000]
SECONDS = [0, 3600, 28000, 43200, 50000, 86399]
MOMENTS = [-2717640000, -2208988800, -2422054408, -12219292800, -3645237208, -1880502800]
STEPS = [-90000, -40000, -1000, -1, 0, 1, 1000, 40000, 90000]


def one_file(frame, name, **options):
    frame.coalesce(1).write.mode("overwrite").options(**options).parquet(str(FOLDER / f"{name}.dir"))
    found = [path for path in (FOLDER / f"{name}.dir").iterdir() if path.suffix == ".parquet"]
    found[0].rename(FOLDER / f"{name}.parquet")


def calendar_rows():
    instants = [(day * 86400 + second) * 10**6 + day % 7 * 1000 for day in DAYS for second in SECONDS]
    instants += [(moment + step) * 10**6 for moment in MOMENTS for step in STEPS]
    return [(number, DAYS[number % len(DAYS)], instant) for number, instant in enumerate(instants)]


def calendars(spark):
    spark.conf.set("spark.sql.parquet.datetimeRebaseModeInWrite", "LEGACY")
    spark.conf.set("spark.sql.parquet.int96RebaseModeInWrite", "LEGACY")
    rows = spark.createDataFrame(calendar_rows(), "id int, day int, us long").coalesce(1)
    found = {}
    for zone in ZONES:
        spark.conf.set("spark.sql.session.timeZone", zone)
        for form in FORMS:
            name = f"{zone.replace('/', '_').replace(':', '_')}-{form}"
            spark.conf.set("spark.sql.parquet.outputTimestampType", form)
            one_file(rows.selectExpr("id", "date_from_unix_date(day) AS d", "timestamp_micros(us) AS t", "array(timestamp_micros(us)) AS l"), name)
            read = spark.read.parquet(str(FOLDER / f"{name}.parquet"))
            found[name] = [list(row) for row in read.selectExpr("id", "unix_date(d)", "unix_micros(t)", "unix_micros(l[0])").collect()]
    return found


def filters(spark):
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    one_file(spark.read.parquet(str(FOLDER / "plain.parquet")), "filtered",
             **{"parquet.bloom.filter.enabled": "true", "parquet.bloom.filter.expected.ndv": "6000", "parquet.block.size": "100000",
                "parquet.enable.dictionary": "false"})


session = osdear_spark.session("files")
result = calendars(session)
filters(session)
print(json.dumps(result))
session.stop()
