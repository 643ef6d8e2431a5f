import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Reads tables of the console, named as arguments: a line for each with its columns, as Java sees their types, and its rows. */
final class Tables {
    private Tables() {}

    public static void main(String[] names) throws SQLException {
        // preferQueryMode and whether values come in binary, from the first execution on.
        String[][] ways = {
            {"preferQueryMode", "simple"},
            {"preferQueryMode", "extended", "prepareThreshold", "-1"},
            {"preferQueryMode", "extendedForPrepared"},
        };
        for (String[] way : ways) {
            try (Connection connection = Check.open(way)) {
                for (String name : names) {
                    System.out.println(name + "\t" + read(connection, "show " + name));
                }
            }
        }
    }

    private static String read(Connection connection, String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql); ResultSet rows = statement.executeQuery()) {
            ResultSetMetaData about = rows.getMetaData();
            List<String> columns = new ArrayList<>();
            for (int i = 1; i <= about.getColumnCount(); i++) {
                columns.add(about.getColumnName(i) + ":" + about.getColumnTypeName(i));
            }
            int count = 0;
            for (; rows.next(); count++) {
                for (int i = 1; i <= about.getColumnCount(); i++) {
                    rows.getObject(i); // a number that is none, or binary that is too short, throws
                }
            }
            return String.join(" ", columns) + "\t" + count;
        }
    }
}
