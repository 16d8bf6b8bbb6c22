"""What the tests submit, to a cluster and to a local process alike: silver.py BRONZE SILVER. Reads a Delta table, writes another."""
import sys

from pyspark.sql import SparkSession, functions

spark = SparkSession.builder.getOrCreate()
bronze, silver = sys.argv[1:3]
rows = spark.read.format("delta").load(bronze)
rows = rows.where("amount >= 10").groupBy("city").agg(functions.sum("amount").alias("total"), functions.count("*").alias("rows"))
rows.coalesce(1).write.format("delta").mode("append").save(silver)
print("written", silver, flush=True)
spark.stop()
