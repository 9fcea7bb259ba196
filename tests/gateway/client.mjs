// client.mjs URL BADURL: the gateway under OpenAI's own client, streaming and not. BADURL is one whose site fails, and which asks
// for the key "k". A line for each case that failed, and the number of both at the end.
import assert from "node:assert/strict";
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from "openai";

const [baseURL, badURL] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "none" });
const messages = [{ role: "user", content: "hello from npm" }];
const model = "gpt-4o";
let passed = 0, failed = 0;

async function check(name, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}

await check("models", async () => {
  const names = [];
  for await (const found of client.models.list()) names.push(found.id);
  assert.deepEqual(names.sort(), ["gpt-4", "gpt-4o", "gpt-4o-mini"]);
  assert.equal((await client.models.retrieve(model)).object, "model");
});

await check("whole", async () => {
  const answer = await client.chat.completions.create({ model, messages });
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.choices.length, 1);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.choices[0].message.role, "assistant");
  assert.match(answer.choices[0].message.content, /^You said: hello from npm\n/);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

await check("streamed", async () => {
  const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
  let text = "", ends = 0, usage = null, chunks = 0;
  for await (const chunk of stream) {
    chunks++;
    text += chunk.choices[0]?.delta?.content ?? "";
    ends += chunk.choices[0]?.finish_reason === "stop";
    usage ??= chunk.usage;
  }
  assert.match(text, /^You said: hello from npm\n/);
  assert.match(text, /👋/u);
  assert.equal(ends, 1);
  assert.ok(chunks > 10 && usage.completion_tokens > 10);
});

await check("the client's own gathering of a stream", async () => {
  const answer = await client.chat.completions.stream({ model, messages }).finalChatCompletion();
  assert.match(answer.choices[0].message.content, /hello from npm/);
});

await check("parts, roles and what it does not know", async () => {
  const answer = await client.chat.completions.create({ model, temperature: 0, seed: 1, messages: [
    { role: "developer", content: "Be brief." }, { role: "assistant", content: "yes" },
    { role: "user", content: [{ type: "text", text: "part" }, { type: "text", text: "ed" }] }] });
  assert.match(answer.choices[0].message.content, /parted/);
});

await check("a stream that is left", async () => {
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
  assert.ok(stream.controller.signal.aborted);
});

await check("twenty at once", async () => {
  const asked = Array.from({ length: 20 }, (_, i) =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: `number ${i}.` }] }));
  (await Promise.all(asked)).forEach((answer, i) => assert.ok(answer.choices[0].message.content.includes(`number ${i}.`)));
});

await check("errors", async () => {
  await assert.rejects(client.chat.completions.create({ model: "gpt-9", messages }), NotFoundError);
  await assert.rejects(client.chat.completions.create({ model, messages: [] }), BadRequestError);
  const tool = [{ role: "tool", tool_call_id: "x", content: "x" }];
  await assert.rejects(client.chat.completions.create({ model, messages: tool }), /the site has none/);
});

const bad = new OpenAI({ baseURL: badURL, apiKey: "k" });
const say = (content, stream) => bad.chat.completions.create({ model, messages: [{ role: "user", content }], stream });

await check("errors of the site", async () => {
  const began = Date.now();
  await assert.rejects(say("quota"), RateLimitError);
  await assert.rejects(say("breaks"), (error) => error instanceof APIError && error.status === 502 && error.code === "E_INCOMPLETE");
  assert.ok(Date.now() - began < 2000, "it was asked once");
  await assert.rejects(new OpenAI({ baseURL: badURL, apiKey: "other" }).models.list(), AuthenticationError);
});

await check("a stream that breaks is an error", async () => {
  let text = "";
  await assert.rejects(async () => {
    for await (const chunk of await say("breaks", true)) text += chunk.choices[0].delta.content ?? "";
  }, (error) => error instanceof APIError && error.code === "E_INCOMPLETE");
  assert.match(text, /^0123456789/);
});

console.log(`client: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
