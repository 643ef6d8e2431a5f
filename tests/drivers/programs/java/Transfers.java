import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Map;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** Data in pieces: COPY, large objects and cursors. */
final class Transfers {
    private Transfers() {}

    static void addTo(Map<String, Check> checks) {
        checks.put("copy", Transfers::copy);
        checks.put("large_object", Transfers::largeObject);
        checks.put("cursor", Transfers::cursor);
    }

    private static String lines() {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < Check.ROWS; ++n) {
            text.append(n).append("\trow ").append(n).append("\\twith a tab\n");
        }
        return text.toString();
    }

    private static void copy(Check.Context context) throws Exception {
        try (Connection connection = Check.open()) {
            Check.execute(connection, "create table " + context.table + " (n int, t text)");
            CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
            String into = "copy " + context.table + " from stdin";
            Check.same(copies.copyIn(into, new StringReader(lines())), (long) Check.ROWS);
            StringWriter out = new StringWriter();
            copies.copyOut("copy (select * from " + context.table + " order by n) to stdout", out);
            Check.same(out.toString(), lines());
            Check.raises("22P02", () -> copies.copyIn(into, new StringReader("none\tx\n")));
            CopyIn abandoned = copies.copyIn(into);
            byte[] line = "1\tnever kept\n".getBytes();
            abandoned.writeToCopy(line, 0, line.length);
            abandoned.cancelCopy();
            Check.same(Check.value(connection, "select count(*) from " + context.table), String.valueOf(Check.ROWS));
        }
    }

    /** The driver calls functions by the protocol's own FunctionCall. */
    private static void largeObject(Check.Context context) throws Exception {
        byte[] content = new byte[200_000];
        for (int i = 0; i < content.length; ++i) {
            content[i] = (byte) (i * 7);
        }
        try (Connection connection = Check.open()) {
            connection.setAutoCommit(false);
            LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
            long oid = objects.createLO(LargeObjectManager.READWRITE);
            try (LargeObject writing = objects.open(oid, LargeObjectManager.WRITE)) {
                writing.write(content);
            }
            connection.commit();
            try (LargeObject reading = objects.open(oid, LargeObjectManager.READ)) {
                reading.seek(1000);
                byte[] expected = Arrays.copyOfRange(content, 1000, content.length);
                Check.same(Arrays.equals(reading.read(content.length), expected), true);
                Check.same(reading.size(), content.length);
            }
            objects.unlink(oid);
            connection.commit();
            Check.raises("42704", () -> objects.open(oid, LargeObjectManager.READ));
            connection.rollback();
            Check.same(Check.value(connection, "select 1"), "1");
        }
    }

    /** A portal that Execute asks for rows a portion at a time. */
    private static void cursor(Check.Context context) throws Exception {
        try (Connection connection = Check.open()) {
            connection.setAutoCommit(false);
            for (int transaction = 0; transaction < 2; ++transaction) {
                try (Statement statement = connection.createStatement()) {
                    statement.setFetchSize(100);
                    try (ResultSet rows = statement.executeQuery("select n from generate_series(1, 1000) n")) {
                        for (int n = 1; n <= 1000; ++n) {
                            Check.same(rows.next() ? rows.getInt(1) : null, n);
                            if (n % 150 == 0) {
                                Check.same(Check.value(connection, "select 'between'"), "between");
                            }
                        }
                        Check.same(rows.next(), false);
                    }
                }
                connection.commit();
            }
        }
    }
}
