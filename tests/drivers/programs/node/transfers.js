"use strict";
// Data in pieces: COPY and cursors.
const assert = require("node:assert");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { from, to } = require("pg-copy-streams");
const Cursor = require("pg-cursor");
const { ROWS, column, raises } = require("./check");

exports.copy = async (context) => {
    const client = await context.open();
    const lines = [...Array(ROWS).keys()].map((n) => `${n}\trow ${n}\\twith a tab\n`);
    await client.query(`create table ${context.table} (n int, t text)`);
    const into = () => client.query(from(`copy ${context.table} from stdin`));
    await pipeline(Readable.from(lines), into());
    const pieces = [];
    for await (const piece of client.query(to(`copy (select * from ${context.table} order by n) to stdout`))) {
        pieces.push(piece);
    }
    assert.strictEqual(Buffer.concat(pieces).toString(), lines.join(""));
    await raises("22P02", pipeline(Readable.from(["none\tx\n"]), into()));
    await assert.rejects(pipeline(Readable.from(givesUp()), into()));
    assert.deepStrictEqual(await column(client, `select count(*)::int from ${context.table}`), [ROWS]);
};

function* givesUp() {
    yield "1\tnever kept\n";
    throw new Error("given up");
}

// A portal that Execute asks for rows a portion at a time.
exports.cursor = async (context) => {
    const client = await context.open();
    await client.query("begin");
    const cursor = client.query(new Cursor("select n from generate_series(1, $1) n", [1000]));
    for (let start = 1; start <= 1000; start += 100) {
        const rows = await cursor.read(100);
        assert.deepStrictEqual(rows.map(({ n }) => n), [...Array(100).keys()].map((n) => start + n));
    }
    assert.deepStrictEqual(await cursor.read(100), []);
    await cursor.close();
    await client.query("commit");
    const left = client.query(new Cursor("select n from generate_series(1, 1000) n"));
    assert.strictEqual((await left.read(10)).length, 10);
    await left.close();
    assert.deepStrictEqual(await column(client, "select 'usable'"), ["usable"]);
};
