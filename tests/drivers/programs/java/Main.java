import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/** pgjdbc: runs the checks that are named and says of each in one line of JSON what came of it. */
final class Main {
    private Main() {}

    public static void main(String[] names) {
        Map<String, Check> checks = new LinkedHashMap<>();
        Sessions.addTo(checks);
        Statements.addTo(checks);
        Transfers.addTo(checks);
        Asides.addTo(checks);
        for (String name : names) {
            System.out.println(verdictOn(name, checks.get(name)));
            System.out.flush();
        }
    }

    private static String verdictOn(String name, Check check) {
        Check.Context context = new Check.Context(name);
        String detail = "";
        try {
            check.run(context);
        } catch (Exception | AssertionError problem) {
            StringWriter told = new StringWriter();
            problem.printStackTrace(new PrintWriter(told));
            detail = told.toString();
        }
        return String.format("{\"name\": \"%s\", \"ok\": %b, \"servers\": %d, \"detail\": %s}", name, detail.isEmpty(),
                context.met.size(), quoted(detail));
    }

    private static String quoted(String text) {
        StringBuilder result = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter < ' ') {
                result.append(String.format("\\u%04x", (int) letter));
            } else if (letter == '"' || letter == '\\') {
                result.append('\\').append(letter);
            } else {
                result.append(letter);
            }
        }
        return result.append('"').toString();
    }
}
