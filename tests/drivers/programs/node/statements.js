"use strict";
// Prepared statements, and queries that are sent before the answers to those in front of them have come.
const assert = require("node:assert");
const { STATEMENTS, column, raises } = require("./check");

exports.prepared = async (context) => {
    const client = await context.open();
    const text = "select $1::int * 2 as doubled, pg_backend_pid() as pid";
    for (let n = 0; n < STATEMENTS; ++n) {
        await client.query("begin");
        const { rows } = await client.query({ name: "twice", text, values: [n] });
        assert.strictEqual(rows[0].doubled, 2 * n);
        context.met.add(rows[0].pid);
        await client.query("commit");
    }
    const binary = await client.query({ name: "binary", text: "select $1::int8 as n", values: [7], binary: true });
    assert.strictEqual(String(binary.rows[0].n), "7");
};

exports.batch = async (context) => {
    const client = await context.open({ pipeline: true });
    assert.strictEqual(client.pipeline, true);
    await client.query(`create table ${context.table} (n int primary key)`);
    const numbers = [...Array(100).keys()];
    const thrice = { name: "thrice", text: "select $1::int * 3 as n" };
    const answers = await Promise.all(numbers.map((n) => client.query({ ...thrice, values: [n] })));
    assert.deepStrictEqual(answers.map(({ rows }) => rows[0].n), numbers.map((n) => 3 * n));
    const insert = (n) => client.query(`insert into ${context.table} values ($1)`, [n]);
    const inserts = [insert(1), insert(1), insert(2)];
    await inserts[0];
    await raises("23505", inserts[1]);
    await inserts[2];
    assert.deepStrictEqual(await column(client, `select n from ${context.table} order by n`), [1, 2]);
};
