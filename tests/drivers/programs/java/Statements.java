import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.Map;

/** Prepared statements and batches. */
final class Statements {
    private Statements() {}

    static void addTo(Map<String, Check> checks) {
        checks.put("prepared", Statements::prepared);
        checks.put("batch", Statements::batch);
        checks.put("altered", Statements::altered);
    }

    /** The driver names a statement from its prepareThreshold on, here at once, and takes binary results then. */
    private static void prepared(Check.Context context) throws Exception {
        try (Connection connection = Check.open("prepareThreshold", "1", "preparedStatementCacheQueries", "2")) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement("select ?::int * 2, pg_backend_pid()")) {
                for (int n = 0; n < Check.STATEMENTS; ++n) {
                    statement.setInt(1, n);
                    try (ResultSet rows = statement.executeQuery()) {
                        Check.same(rows.next(), true);
                        Check.same(rows.getInt(1), 2 * n);
                        context.met.add(rows.getInt(2));
                    }
                    connection.commit();
                    passing(connection, n);
                }
            }
            typesThatChange(connection);
        }
    }

    /** More texts than the driver's cache holds: it closes names, and takes others. */
    private static void passing(Connection connection, int n) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement("select ? || '" + n % 5 + "'")) {
            statement.setString(1, "x");
            try (ResultSet rows = statement.executeQuery()) {
                Check.same(rows.next() ? rows.getString(1) : null, "x" + n % 5);
            }
        }
    }

    /** A parameter of another type makes the driver prepare the same text anew. */
    private static void typesThatChange(Connection connection) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement("select pg_typeof(?)::text")) {
            for (int n = 0; n < 6; ++n) {
                if (n % 2 == 0) {
                    statement.setLong(1, n);
                } else {
                    statement.setString(1, "text");
                }
                try (ResultSet rows = statement.executeQuery()) {
                    Check.same(rows.next() ? rows.getString(1) : null, n % 2 == 0 ? "bigint" : "character varying");
                }
                connection.commit();
            }
        }
    }

    private static void batch(Check.Context context) throws Exception {
        try (Connection connection = Check.open("prepareThreshold", "2")) {
            Check.execute(connection, "create table " + context.table + " (n int primary key, t text)");
            String sql = "insert into " + context.table + " values (?, ?)";
            try (PreparedStatement insert = connection.prepareStatement(sql)) {
                for (int n = 0; n < 1000; ++n) {
                    insert.setInt(1, n);
                    insert.setString(2, "row " + n);
                    insert.addBatch();
                }
                Check.same(insert.executeBatch().length, 1000);
                connection.setAutoCommit(false);
                for (int n : new int[] {1001, 1002, 1, 1003}) {
                    insert.setInt(1, n);
                    insert.setString(2, "never kept");
                    insert.addBatch();
                }
                try {
                    insert.executeBatch();
                    throw new AssertionError("a batch with a duplicate was taken");
                } catch (BatchUpdateException problem) {
                    Check.same(problem.getSQLState(), "23505");
                }
                connection.rollback();
            }
            Check.same(Check.value(connection, "select count(*) from " + context.table), "1000");
        }
    }

    /** A plan that is outdated makes the driver prepare anew, which nobody sees outside a transaction. */
    private static void altered(Check.Context context) throws Exception {
        try (Connection connection = Check.open("prepareThreshold", "1"); Connection owner = Check.open()) {
            Check.execute(owner, "create table " + context.table + " (n int)");
            Check.execute(owner, "insert into " + context.table + " values (1)");
            String sql = "select * from " + context.table + " where n = ?";
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int n = 0; n < 10; ++n) {
                    statement.setInt(1, 1);
                    try (ResultSet rows = statement.executeQuery()) {
                        Check.same(rows.next() ? rows.getLong(1) : 0, 1L);
                        Check.same(rows.getMetaData().getColumnCount(), n + 1);
                    }
                    String kind = n % 2 == 0 ? "bigint" : "int";
                    Check.execute(owner, "alter table " + context.table + " alter n type " + kind + ", add c" + n + " text");
                }
            }
        }
    }
}
