"use strict";
// node-postgres: runs the checks that are named and says of each in one line of JSON what came of it.
const files = ["./sessions", "./statements", "./transfers", "./asides"];
const checks = Object.assign({}, ...files.map(require));
const { Context } = require("./check");

async function judge(name) {
    const context = new Context(name);
    const said = { name, ok: true, detail: "" };
    try {
        await checks[name](context);
    } catch (problem) {
        said.ok = false;
        said.detail = problem.stack;
    }
    await context.close();
    return { ...said, servers: context.met.size };
}

async function main() {
    for (const name of process.argv.slice(2)) {
        console.log(JSON.stringify(await judge(name)));
    }
}

main();
