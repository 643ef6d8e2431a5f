import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** What comes beside the answers: notifications, and cancels of what runs. */
final class Asides {
    private Asides() {}

    static void addTo(Map<String, Check> checks) {
        checks.put("notify", Asides::hears);
        checks.put("cancel", Asides::cancel);
    }

    private static void hears(Check.Context context) throws Exception {
        try (Connection listener = Check.open(); Connection notifier = Check.open()) {
            Check.execute(listener, "listen news");
            for (String payload : new String[] {"hello", "again"}) {
                Check.execute(notifier, "notify news, '" + payload + "'");
                PGNotification[] heard = listener.unwrap(PGConnection.class).getNotifications(10_000);
                Check.same(heard != null && heard.length == 1, true);
                Check.same(heard[0].getName() + " " + heard[0].getParameter(), "news " + payload);
            }
            Check.execute(listener, "unlisten news");
        }
    }

    /** Once by another thread, once by the driver's own timer. */
    private static void cancel(Check.Context context) throws Exception {
        Executor afterAMoment = CompletableFuture.delayedExecutor(500, TimeUnit.MILLISECONDS);
        try (Connection connection = Check.open()) {
            try (Statement statement = connection.createStatement()) {
                Runnable request = () -> cancelQuietly(statement);
                CompletableFuture<Void> asked = CompletableFuture.runAsync(request, afterAMoment);
                Check.raises("57014", () -> statement.execute("select pg_sleep(15)"));
                asked.get(10, TimeUnit.SECONDS);
            }
            Check.same(Check.value(connection, "select 1"), "1");
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(1);
                Check.raises("57014", () -> statement.execute("select pg_sleep(15)"));
            }
            Check.same(Check.value(connection, "select 1"), "1");
        }
    }

    private static void cancelQuietly(Statement statement) {
        try {
            statement.cancel();
        } catch (java.sql.SQLException problem) {
            throw new IllegalStateException(problem);
        }
    }
}
