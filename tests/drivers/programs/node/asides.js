"use strict";
// What comes beside the answers: notifications, and cancels of what runs.
const assert = require("node:assert");
const { once } = require("node:events");
const { setTimeout: moment } = require("node:timers/promises");
const { Client, Query } = require("pg");
const { column } = require("./check");

exports.notify = async (context) => {
    const listener = await context.open();
    const notifier = await context.open();
    await listener.query("listen news");
    for (const payload of ["hello", "again"]) {
        const heard = once(listener, "notification", { signal: AbortSignal.timeout(10000) });
        await notifier.query("select pg_notify('news', $1)", [payload]);
        const [{ channel, payload: said }] = await heard;
        assert.deepStrictEqual([channel, said], ["news", payload]);
    }
    await listener.query("unlisten news");
};

// The driver cancels by a client that is made for this and never logs in.
exports.cancel = async (context) => {
    const client = await context.open();
    for (let i = 0; i < 2; ++i) {
        const sleeping = new Query("select pg_sleep(15)");
        const ended = once(sleeping, "error");
        client.query(sleeping);
        await moment(500);
        const canceller = new Client({ ssl: false });
        const delivered = once(canceller.connection, "end", { signal: AbortSignal.timeout(10000) });
        canceller.cancel(client, sleeping);
        const [problem] = await ended;
        await delivered;
        assert.strictEqual(problem.code, "57014");
        assert.deepStrictEqual(await column(client, "select 'usable'"), ["usable"]);
    }
};
