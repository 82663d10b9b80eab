package org.apache.iceberg.data // its writers are made by builders of this package

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import java.nio.ByteBuffer
import java.util.concurrent.{ConcurrentHashMap, Executors}
import java.util.{Random, UUID}
import org.apache.hadoop.conf.Configuration
import org.apache.iceberg.{PartitionKey, Table}
import org.apache.iceberg.expressions.Expressions
import org.apache.iceberg.hadoop.HadoopTables
import org.apache.iceberg.io.OutputFileFactory
import org.apache.iceberg.types.Type.TypeID
import org.apache.iceberg.types.{Type, Types}
import org.apache.spark.sql.SparkSession
import scala.jdk.CollectionConverters._

/** Without the chmod process that Hadoop starts for each new file, which takes longer than everything else. */
class Files extends org.apache.hadoop.fs.RawLocalFileSystem {
  override def getScheme: String = "file"
  override def setPermission(path: org.apache.hadoop.fs.Path, to: org.apache.hadoop.fs.permission.FsPermission): Unit = ()
}

/** Iceberg's own Java library, for questions about tables in a folder. Each input line is a JSON list of questions, which
  * are answered two at a time. Each output line is "@@ " and the list of answers: "" or the failure.
  */
object Checks {
  case class Written(snapshot: Long, struct: Types.StructType, record: Record)

  private val json = new ObjectMapper
  private val files = classOf[Files].getName
  private val settings = new Configuration
  settings.set("fs.file.impl", files)
  private val tables = new HadoopTables(settings)
  private val written = new ConcurrentHashMap[String, Vector[Written]]

  private lazy val spark = SparkSession.builder
    .master("local[2]")
    .config("spark.hadoop.fs.file.impl", files)
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.adaptive.enabled", "false")
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.h", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.h.type", "hadoop")
    .config("spark.sql.catalog.h.cache-enabled", "false")
    .config("spark.sql.catalog.h.warehouse", sys.props("warehouse"))
    .getOrCreate()

  def main(arguments: Array[String]): Unit = {
    val pool = Executors.newFixedThreadPool(2)
    val lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, "UTF-8"))
    Iterator.continually(lines.readLine()).takeWhile(_ != null).foreach { line =>
      val asked = json.readTree(line).elements.asScala.toVector.map(each => pool.submit(() => answer(each)))
      val out = new java.io.PrintStream(System.out, true, "UTF-8")
      out.println("@@ " + json.writeValueAsString(asked.map(_.get).asJava))
    }
    pool.shutdownNow()
    System.exit(0)
  }

  private def answer(question: JsonNode): String =
    try {
      def text(key: String) = question.get(key).asText
      text("do") match {
        case "write" => write(text("table"), question.get("seed").asLong)
        case "load" => tables.load(text("table")).newScan().planFiles().close()
        case "partition" => partition(tables.load(text("table")), text("column"), text("name"), text("by"))
        case "rename" => tables.load(text("table")).updateSpec().renameField(text("from"), text("name")).commit()
        case "spark" => bySpark(text("table"), text("name"))
      }
      ""
    } catch {
      case error: Throwable => causes(error).map(each => each.toString.linesIterator.next().take(300)).mkString("; because ")
    }

  private def causes(error: Throwable) = Iterator.iterate(error)(_.getCause).takeWhile(_ != null).take(5)

  /** As an engine does: adds a partition field with a name that the engine chose. */
  private def partition(table: Table, column: String, name: String, by: String): Unit = {
    val term = if (by == "bucket") Expressions.bucket[AnyRef](column, 4) else Expressions.ref(column)
    table.updateSpec().addField(name, term).commit()
  }

  /** Appends rows, then reads every snapshot with the columns that it had. */
  private def write(path: String, seed: Long): Unit = {
    val table = tables.load(path)
    val (spec, schema, random) = (table.spec, table.schema, new Random(seed))
    val files = OutputFileFactory.builderFor(table, 1, seed).format(format(table)).build()
    val writers = GenericFileWriterFactory.builderFor(table).build()
    val records = Vector.fill(2)(record(schema.asStruct, random))
    val append = table.newFastAppend()
    records.foreach { each =>
      val key = new PartitionKey(spec, schema)
      key.partition(new InternalRecordWrapper(schema.asStruct).wrap(each))
      val partition = if (spec.fields.isEmpty) null else key
      val writer = writers.newDataWriter(files.newOutputFile(spec, partition), spec, partition)
      writer.write(each)
      writer.close()
      append.appendFile(writer.toDataFile)
    }
    append.commit()
    table.refresh()
    val snapshot = table.currentSnapshot.snapshotId
    val rows = written.getOrDefault(path, Vector.empty) ++ records.map(Written(snapshot, schema.asStruct, _))
    written.put(path, rows)
    same(table, None, rows)
    val order = table.history.asScala.map(_.snapshotId).toVector
    order.foreach(id => same(table, Some(id), rows.filter(row => order.indexOf(row.snapshot) <= order.indexOf(id))))
  }

  private def format(table: Table) =
    org.apache.iceberg.FileFormat.fromString(table.properties.getOrDefault("write.format.default", "parquet"))

  private def same(table: Table, snapshot: Option[Long], rows: Vector[Written]): Unit = {
    val scan = IcebergGenerics.read(table)
    val schema = snapshot match {
      case Some(id) => scan.useSnapshot(id); table.schemas.get(table.snapshot(id).schemaId)
      case None => table.schema
    }
    val result = scan.build()
    val found = try result.asScala.map(shown(schema.asStruct, _)).toVector.sorted finally result.close()
    val wanted = rows.map(row => expected(schema.asStruct, row.struct, row.record)).sorted
    val at = snapshot.fold("now")(id => s"at snapshot $id")
    if (found != wanted) throw new AssertionError(s"$at: $found instead of $wanted")
  }

  /** Spark reads with metadata columns, writes all rows again with the table's layout, and reads the partitions. */
  private def bySpark(path: String, name: String): Unit = {
    val count = tables.load(path).newScan().planFiles().asScala.map(_.file.recordCount).sum
    val read = spark.sql(s"SELECT *, _file, _pos, _spec_id, _partition FROM h.n.$name").collect().length
    if (read != count) throw new AssertionError(s"Spark reads $read of $count rows")
    spark.sql(s"INSERT INTO h.n.$name SELECT * FROM h.n.$name")
    val parts = spark.sql(s"SELECT record_count FROM h.n.$name.partitions").collect().map(_.getLong(0)).sum
    if (parts != 2 * count) throw new AssertionError(s"Spark counts $parts of ${2 * count} rows in partitions")
    spark.sql(s"SELECT * FROM h.n.$name VERSION AS OF ${tables.load(path).history.get(0).snapshotId}").collect()
  }

  private def record(struct: Types.StructType, random: Random): Record = {
    val made = GenericRecord.create(struct)
    struct.fields.asScala.foreach { field =>
      if (field.isRequired || random.nextInt(4) > 0) made.setField(field.name, value(field.`type`, random))
    }
    made
  }

  private def value(of: Type, random: Random): AnyRef = of.typeId match {
    case TypeID.STRUCT => record(of.asStructType, random)
    case TypeID.LIST => Vector.fill(random.nextInt(3))(value(of.asListType.elementType, random)).asJava
    case TypeID.MAP =>
      val map = new java.util.HashMap[AnyRef, AnyRef]
      for (_ <- 0 until random.nextInt(3))
        map.put(value(of.asMapType.keyType, random), value(of.asMapType.valueType, random))
      map
    case TypeID.BOOLEAN => Boolean.box(random.nextBoolean())
    case TypeID.INTEGER => Int.box(random.nextInt(1000) - 500)
    case TypeID.LONG => Long.box(random.nextInt(1000) - 500L)
    case TypeID.FLOAT => Float.box(random.nextInt(1000) + 0.5f)
    case TypeID.DOUBLE => Double.box(random.nextInt(1000) + 0.5)
    case TypeID.DECIMAL =>
      val decimal = of.asInstanceOf[Types.DecimalType]
      val most = math.min(9, decimal.precision)
      new java.math.BigDecimal(java.math.BigInteger.valueOf(random.nextInt(math.pow(10, most).toInt)), decimal.scale)
    case TypeID.DATE => java.time.LocalDate.ofEpochDay(random.nextInt(20000))
    case TypeID.TIME => java.time.LocalTime.ofSecondOfDay(random.nextInt(86400))
    case TypeID.TIMESTAMP =>
      val at = java.time.LocalDateTime.ofEpochSecond(random.nextInt(2000000000), 0, java.time.ZoneOffset.UTC)
      if (of.asInstanceOf[Types.TimestampType].shouldAdjustToUTC) at.atOffset(java.time.ZoneOffset.UTC) else at
    case TypeID.STRING => "word" + random.nextInt(100)
    case TypeID.UUID => new UUID(random.nextLong(), random.nextLong())
    case TypeID.FIXED => bytes(of.asInstanceOf[Types.FixedType].length, random)
    case TypeID.BINARY => ByteBuffer.wrap(bytes(3, random))
  }

  private def bytes(length: Int, random: Random): Array[Byte] = {
    val made = new Array[Byte](length)
    random.nextBytes(made)
    made
  }

  /** A value as text, by the ids of fields. A struct with only nulls may be read as null. */
  private def shown(of: Type, value: AnyRef): String = expected(of, of, value)

  /** A value that was written with the type `was`, as it is read with the type `is`. */
  private def expected(is: Type, was: Type, value: AnyRef): String = if (value == null) "null" else is.typeId match {
    case TypeID.STRUCT =>
      val parts = is.asStructType.fields.asScala.map { field =>
        val old = was.asStructType.field(field.fieldId)
        val inner = value.asInstanceOf[Record]
        if (old == null) "null" else expected(field.`type`, old.`type`, inner.getField(old.name).asInstanceOf[AnyRef])
      }
      if (parts.forall(_ == "null")) "null" else parts.mkString("{", ", ", "}")
    case TypeID.LIST =>
      val (element, old) = (is.asListType.elementType, was.asListType.elementType)
      value.asInstanceOf[java.util.List[AnyRef]].asScala.map(expected(element, old, _)).mkString("[", ", ", "]")
    case TypeID.MAP =>
      val (now, old) = (is.asMapType, was.asMapType)
      value.asInstanceOf[java.util.Map[AnyRef, AnyRef]].asScala.map { case (key, inner) =>
        expected(now.keyType, old.keyType, key) + ": " + expected(now.valueType, old.valueType, inner)
      }.toVector.sorted.mkString("(", ", ", ")")
    case _ => value match {
      case number: java.lang.Integer => number.longValue.toString
      case number: java.lang.Float => number.doubleValue.toString
      case decimal: java.math.BigDecimal => decimal.toPlainString
      case buffer: ByteBuffer => hex(org.apache.iceberg.util.ByteBuffers.toByteArray(buffer))
      case array: Array[Byte] => hex(array)
      case other => other.toString
    }
  }

  private def hex(bytes: Array[Byte]): String = bytes.map(byte => f"$byte%02x").mkString
}
