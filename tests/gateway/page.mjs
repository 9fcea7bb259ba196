// page.mjs CHROMIUM URL KEYURL PICTURES: the gateway's page in a headless browser. The site of URL repeats what it is told; that of
// KEYURL fails, and its gateway asks for the key "k". Two pictures are left in the folder PICTURES, to be looked at.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [executablePath, url, keyUrl, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
let passed = 0, failed = 0, page, said, elsewhere;

// A page of its own for each case; what it logs, and whom it asks, is looked at in each.
async function check(name, run, options = {}, address = url) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  page = await context.newPage();
  page.setDefaultTimeout(15000);
  said = [];
  elsewhere = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => { said.push("dialog: " + dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(address) && !request.url().startsWith("data:")) elsewhere.push(request.url()); });
  try {
    await page.goto(address);
    await run();
    assert.deepEqual(elsewhere, [], "it asked somewhere else");
    if (address === url) assert.deepEqual(said, [], "the console is silent");
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
  await context.close();
}

const answers = () => page.locator("article.assistant");
const answer = () => answers().last();
const ended = () => page.locator("article[aria-busy]").waitFor({ state: "detached" });
const type = async (words) => { await page.keyboard.insertText(words); await page.keyboard.press("Enter"); };
// Until one answer more is there, and ended.
const ask = async (words) => {
  const before = await answers().count();
  await type(words);
  await answers().nth(before).waitFor({ state: "attached" });
  await ended();
};

await check("ask, see it stream, copy", async () => {
  await type("hello <b>you</b>");
  await page.locator("article[aria-busy] p", { hasText: "You said" }).waitFor();
  const early = (await answer().innerText()).length;
  await ended();
  assert.ok((await answer().innerText()).length > early, "it came in pieces");
  assert.match(await answer().innerText(), /You said: hello <b>you<\/b>/);
  assert.equal(await page.locator("article.user p").innerText(), "hello <b>you</b>");
  await page.getByRole("button", { name: "Copy" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^You said: hello <b>you<\/b>\n/);
  assert.equal(await page.locator("#status").innerText(), "Copied");
});

await check("stop, and ask again", async () => {
  await type("a long one");
  await page.locator("article[aria-busy] p", { hasText: "You said" }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await ended();
  assert.match(await answer().innerText(), /Stopped\./);
  assert.doesNotMatch(await answer().innerText(), /nice day/);
  await page.getByRole("button", { name: "Ask again" }).click();
  await page.locator("article[aria-busy]").waitFor();
  await ended();
  assert.equal(await answers().count(), 1);
  assert.match(await answer().innerText(), /nice day/);
});

await check("Escape stops, and the message box keeps the focus", async () => {
  await type("by the keyboard");
  await page.locator("article[aria-busy] p", { hasText: "You said" }).waitFor();
  await page.keyboard.press("Escape");
  await ended();
  await ask("and on");
  assert.match(await answer().innerText(), /User: by the keyboard/);
  assert.match(await answer().innerText(), /User: and on/);
});

await check("a reload keeps the conversation, a new chat forgets it", async () => {
  await ask("remember me");
  const before = await page.locator("#log").innerText();
  await page.reload();
  assert.equal(await page.locator("#log").innerText(), before);
  await type("and now leave");
  await page.locator("article[aria-busy] p", { hasText: "remember me" }).waitFor();
  await page.reload();
  assert.match(await answer().innerText(), /broke off before it was whole/);
  await page.getByRole("button", { name: "New chat" }).click();
  await page.reload();
  assert.equal(await page.locator("article").count(), 0);
});

await check("HTML stays text", async () => {
  const evil = "<img src=x onerror=alert(1)><script>alert(2)</script> <a href=javascript:alert(3)>x</a> [x](javascript:alert(4)) &lt;b&gt;";
  await ask(evil);
  assert.ok((await answer().innerText()).includes(evil));
  assert.equal(await page.locator("#log img, #log script, #log a, #log b").count(), 0);
  await page.reload();
  assert.equal(await page.locator("#log img, #log script, #log a, #log b").count(), 0);
});

await check("paragraphs, code, lists", async () => {
  await ask("x\n\n```c\nint a = b < c;\n\n  return `a`;\n```\n- one\n- two `three < 4` and ``a ` b``\n\n7. seven\n8. eight\n\nlast `open");
  assert.equal(await answer().locator("pre code").innerText(), "int a = b < c;\n\n  return `a`;");
  assert.deepEqual(await answer().locator("ul > li").allInnerTexts(), ["one", "two three < 4 and a ` b"]);
  assert.deepEqual(await answer().locator("li code").allInnerTexts(), ["three < 4", "a ` b"]);
  assert.equal(await answer().locator("ol").getAttribute("start"), "7");
  assert.match(await answer().innerText(), /last `open/);
});

await check("a hostile answer takes no time", async () => {
  const took = await page.evaluate(() => {
    const into = document.createElement("div"), began = performance.now();
    render(into, "` `` ``` ".repeat(30000) + "\n" + "- ".repeat(30000) + "\n```".repeat(1000) + "\n" + "1. x\n\n".repeat(5000));
    return performance.now() - began;
  });
  assert.ok(took < 3000, `${took} ms`);
});

await check("the policy holds: no script made from a string", async () => {
  const blocked = await page.evaluate(() => {
    let count = 0;
    try { document.body.innerHTML = "<p>x"; } catch { count++; }
    try { document.createElement("script").textContent = "1"; } catch { count++; }
    return count;
  });
  assert.equal(blocked, 2);
  said = [];
});

await check("right to left, each paragraph by its own words", async () => {
  await ask("שלום עולם");
  assert.equal(await page.locator("article.user p").evaluate((node) => getComputedStyle(node).direction), "rtl");
});

await check("roles", async () => {
  assert.equal(await page.getByRole("log").getAttribute("aria-live"), "polite");
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  await page.getByRole("button", { name: "Send" }).waitFor();
  await page.getByRole("main", { name: "Conversation" }).waitFor();
  const order = [];
  await page.locator("header button").focus();
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press("Tab");
    order.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepEqual(order, ["scroll", "message", "send"]);
});

await check("the key is asked for, and errors say what to do", async () => {
  await type("quota");
  await page.getByRole("dialog").waitFor();
  await page.getByRole("dialog").getByLabel(/started with a key/).fill("wrong");
  await page.keyboard.press("Enter");
  await page.locator("#key").evaluate((node) => new Promise((done) => { const look = () => node.value ? setTimeout(look, 10) : done(); look(); }));
  await page.locator("#key").fill("k");
  await page.keyboard.press("Enter");
  await ended();
  assert.match(await page.getByRole("alert").innerText(), /429.*wait a while/s);
  await page.getByRole("button", { name: "New chat" }).click();
  await ask("breaks");
  assert.match(await answer().innerText(), /0123456789/);
  assert.match(await page.getByRole("alert").innerText(), /ask again/i);
  await page.reload();
  assert.match(await page.getByRole("alert").innerText(), /ask again/i);
}, {}, keyUrl);

await check("without a key it says so", async () => {
  await type("hello");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await ended();
  assert.match(await page.getByRole("alert").innerText(), /--key.*give the key/s);
}, {}, keyUrl);

await check("a gateway that has gone", async () => {
  await page.route("**/v1/chat/completions", (route) => route.abort());
  await type("hello");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /cannot be reached.*still runs/s);
  said = [];
});

const picture = async (name) => {
  await ask("Show me what you can: a list and some code.\n\n- plain text\n- `inline code`\n\n```c\nputs(\"hello\");\n```");
  await page.evaluate(() => document.activeElement.blur());
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!wide, "nothing sticks out");
  await page.screenshot({ path: `${pictures}/${name}.png` });
};
await check("light", () => picture("light"), { viewport: { width: 1000, height: 800 }, colorScheme: "light" });
await check("narrow and dark", () => picture("dark"), { viewport: { width: 320, height: 640 }, colorScheme: "dark" });

await browser.close();
console.log(`page: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
