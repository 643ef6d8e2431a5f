import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;

/** What is asked of the driver, and what the checks share. */
interface Check {
    int STATEMENTS = 30; // transactions that one prepared statement is used in
    int ROWS = 5000; // of a COPY: several messages and reads in each direction

    void run(Context context) throws Exception;

    /** What one check has of its own. */
    final class Context {
        final String table;
        final Set<Integer> met = new HashSet<>(); // pids of the servers that the prepared statement has run on

        Context(String check) {
            table = System.getenv("TABLES") + "_" + check;
        }
    }

    interface Work {
        void run() throws Exception;
    }

    /** A connection by the environment; options are pairs of a name and a value. */
    static Connection open(String... options) throws SQLException {
        return openAt(System.getenv("PGHOST"), options);
    }

    static Connection openAt(String host, String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("password", System.getenv("PGPASSWORD"));
        properties.setProperty("sslmode", System.getenv("PGSSLMODE"));
        for (int i = 0; i < options.length; i += 2) {
            properties.setProperty(options[i], options[i + 1]);
        }
        String place = host + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + place, properties);
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of the first row. */
    static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            same(rows.next(), true);
            return rows.getString(1);
        }
    }

    static void same(Object seen, Object expected) {
        if (!Objects.equals(seen, expected)) {
            throw new AssertionError("saw " + seen + " instead of " + expected);
        }
    }

    static void raises(String sqlstate, Work work) throws Exception {
        try {
            work.run();
        } catch (SQLException problem) {
            if (!sqlstate.equals(problem.getSQLState())) {
                throw problem;
            }
            return;
        }
        throw new AssertionError("nothing was raised instead of " + sqlstate);
    }
}
