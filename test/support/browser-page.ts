import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { installedProgram } from './foreground-program.ts';

const FLAGS = ['--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** A page in a real Chromium that talks to the gateway; both end with the test. */
export class BrowserPage {
  readonly #page: Page;
  readonly #url: string;

  private constructor(page: Page, port: number) {
    this.#page = page;
    this.#url = `ws://127.0.0.1:${port}/ws?subscription=none`;
  }

  static async open(port: number): Promise<BrowserPage> {
    const browser: Browser = await chromium.launch({
      executablePath: installedProgram('chromium', 'chromium'),
      args: [...FLAGS, '--no-first-run', '--no-sandbox'],
    });
    onTestFinished(() => browser.close());
    return new BrowserPage(await browser.newPage(), port);
  }

  /** Subscribes to everything. Returns the extensions that were agreed on. */
  subscribe(): Promise<string> {
    return this.#page.evaluate(`(${PAGE_SUBSCRIBE})(${JSON.stringify(this.#url)})`) as Promise<string>;
  }

  /** The first `count` data frames since `subscribe`, as text. */
  dataTexts(count: number): Promise<string[]> {
    return this.#page.evaluate(`(${PAGE_DATA_TEXTS})(${count})`) as Promise<string[]>;
  }
}

/** Run in the page, so they are text: the types of a browser are not known here. */
const PAGE_SUBSCRIBE = `(url) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url);
  window.texts = [];
  socket.onopen = () => socket.send('{"type":"subscribe","payload":{}}');
  socket.onerror = () => reject(new Error('the connection failed'));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'subscribed') resolve(socket.extensions);
    if (message.seq !== undefined) window.texts.push(data);
  };
})`;
const PAGE_DATA_TEXTS = `async (count) => {
  while (window.texts.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
  return window.texts;
}`;
