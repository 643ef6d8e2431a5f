"use strict";
// Logins, transactions and errors.
const assert = require("node:assert");
const fs = require("node:fs");
const { column, raises } = require("./check");

exports.connect = async (context) => {
    const client = await context.open({ application_name: "drivers" });
    const who = "select current_user::text || ' ' || current_database() || ' ' || current_setting('application_name')";
    assert.deepStrictEqual(await column(client, who), [`${process.env.PGUSER} ${process.env.PGDATABASE} drivers`]);
    await raises("28P01", context.open({ password: "wrong" }));
};

exports.tls = async (context) => {
    const trusting = (authority) => ({ ca: fs.readFileSync(authority), servername: "localhost" });
    const client = await context.open({ ssl: trusting(process.env.PGSSLROOTCERT) });
    assert.strictEqual(client.connection.stream.authorized, true);
    assert.deepStrictEqual(await column(client, "select repeat('x', 100000)"), ["x".repeat(100000)]);
    await assert.rejects(context.open({ ssl: trusting(process.env.FOREIGN_CA) }), /certificate/);
    const elsewhere = { ...trusting(process.env.PGSSLROOTCERT), servername: "elsewhere.test" };
    await raises("ERR_TLS_CERT_ALTNAME_INVALID", context.open({ ssl: elsewhere }));
};

exports.savepoint = async (context) => {
    const client = await context.open();
    const insert = `insert into ${context.table} values ($1)`;
    await client.query(`create table ${context.table} (n int primary key)`);
    await client.query("begin");
    await client.query(insert, [1]);
    await client.query("savepoint s");
    await client.query(insert, [2]);
    await raises("23505", client.query(insert, [1]));
    await client.query("rollback to s");
    await client.query(insert, [3]);
    await client.query("release s");
    await client.query("commit");
    assert.deepStrictEqual(await column(client, `select n from ${context.table} order by n`), [1, 3]);
};

exports.error = async (context) => {
    const client = await context.open();
    await client.query("begin");
    await raises("22012", client.query("select 1 / $1::int", [0]));
    await raises("25P02", client.query("select 1"));
    assert.strictEqual((await client.query("commit")).command, "ROLLBACK");
    await raises("42601", client.query("selekt"));
    await raises("22P02", client.query("select $1::int", ["none"]));
    assert.deepStrictEqual(await column(client, "select 'usable'"), ["usable"]);
};
