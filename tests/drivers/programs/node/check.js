"use strict";
// What the checks share. pg takes host, port, user, password and database from the environment by itself.
const assert = require("node:assert");
const { Client } = require("pg");

exports.STATEMENTS = 30; // transactions that one prepared statement is used in
exports.ROWS = 5000; // of a COPY: several messages and reads in each direction

// What one check has of its own.
exports.Context = class {
    constructor(check) {
        this.table = `${process.env.TABLES}_${check}`;
        this.met = new Set(); // pids of the servers that the prepared statement has run on
        this.clients = [];
    }

    async open(options = {}) {
        const client = new Client({ ssl: false, ...options });
        await client.connect();
        this.clients.push(client);
        return client;
    }

    async close() {
        await Promise.all(this.clients.map((client) => client.end()));
    }
};

exports.raises = async (sqlstate, promise) => {
    await assert.rejects(promise, (problem) => {
        assert.strictEqual(problem.code, sqlstate, problem.stack);
        return true;
    });
};

// The first column of each row.
exports.column = async (client, sql, values) => {
    const answer = await client.query({ text: sql, values, rowMode: "array" });
    return answer.rows.map((row) => row[0]);
};
