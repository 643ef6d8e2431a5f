import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.Map;

/** Logins, transactions and errors. */
final class Sessions {
    private Sessions() {}

    static void addTo(Map<String, Check> checks) {
        checks.put("connect", Sessions::connect);
        checks.put("tls", Sessions::tls);
        checks.put("savepoint", Sessions::savepoint);
        checks.put("error", Sessions::error);
    }

    private static void connect(Check.Context context) throws Exception {
        try (Connection connection = Check.open("ApplicationName", "drivers")) {
            Check.same(Check.value(connection, "select current_user"), System.getenv("PGUSER"));
            Check.same(Check.value(connection, "select current_database()"), System.getenv("PGDATABASE"));
            Check.same(Check.value(connection, "show application_name"), "drivers");
            Check.same(connection.getMetaData().getDatabaseMajorVersion(), 15);
            Check.same(connection.isValid(5), true);
        }
        Check.raises("28P01", () -> Check.open("password", "wrong"));
    }

    private static void tls(Check.Context context) throws Exception {
        String[] options = {"sslmode", "verify-full", "sslrootcert", System.getenv("PGSSLROOTCERT")};
        try (Connection connection = Check.openAt("localhost", options)) {
            Check.same(Check.value(connection, "select repeat('x', 100000)"), "x".repeat(100000));
        }
        options[3] = System.getenv("FOREIGN_CA");
        Check.raises("08006", () -> Check.openAt("localhost", options));
    }

    private static void insert(Connection connection, String table, int n) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("insert into " + table + " values (?)")) {
            statement.setInt(1, n);
            statement.executeUpdate();
        }
    }

    private static void savepoint(Check.Context context) throws Exception {
        try (Connection connection = Check.open()) {
            Check.execute(connection, "create table " + context.table + " (n int primary key)");
            connection.setAutoCommit(false);
            insert(connection, context.table, 1);
            Savepoint savepoint = connection.setSavepoint("before");
            insert(connection, context.table, 2);
            Check.raises("23505", () -> insert(connection, context.table, 1));
            connection.rollback(savepoint);
            insert(connection, context.table, 3);
            connection.releaseSavepoint(savepoint);
            connection.commit();
            String kept = Check.value(connection, "select string_agg(n::text, ',' order by n) from " + context.table);
            Check.same(kept, "1,3");
        }
        // The driver puts a savepoint of its own in front of each statement.
        try (Connection connection = Check.open("autosave", "always")) {
            connection.setAutoCommit(false);
            insert(connection, context.table, 4);
            Check.raises("23505", () -> insert(connection, context.table, 4));
            connection.commit();
            Check.same(Check.value(connection, "select count(*) from " + context.table), "3");
        }
    }

    private static void error(Check.Context context) throws Exception {
        try (Connection connection = Check.open()) {
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            Check.raises("22012", () -> Check.value(connection, "select 1 / 0"));
            Check.raises("25P02", () -> Check.value(connection, "select 1"));
            connection.rollback();
            Check.raises("42601", () -> Check.execute(connection, "selekt"));
            connection.rollback();
            connection.setReadOnly(true);
            Check.raises("25006", () -> Check.execute(connection, "create table never (n int)"));
            connection.rollback();
            connection.setAutoCommit(true);
            Check.same(Check.value(connection, "select 1"), "1");
        }
    }
}
