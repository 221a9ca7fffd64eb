import { describe, expect, it } from 'vitest';
import { findOption, OPTIONS } from '../../src/config/options.ts';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { PROTOCOL_VERSION } from '../../src/connection/websocket-proxy.ts';
import { ERROR_CODES } from '../../src/util/errors.ts';
import { codeOf, rowsOf, sectionOf } from './markdown.ts';
import { filesBelow, textOf } from './repository-files.ts';

const page = textOf('docs/protocol.md');

describe('the title of docs/protocol.md', () => {
  it('names the version that the welcome does', () => {
    expect(page.split('\n', 1)).toEqual([`# Wire protocol, version ${PROTOCOL_VERSION}`]);
  });
});

describe('the tables of docs/protocol.md', () => {
  it('have a row for each close code, with its code, reason and what to do, and no other', () => {
    const rows = rowsOf(sectionOf(page, 'Closing'));
    expect(rows.map(([name, code, reason, reconnect]) => [codeOf(name!), Number(code), reason, reconnect])).toEqual(
      CLOSES.map(({ name, code, reason, reconnect }) => [name, code, reason, reconnect]),
    );
    for (const row of rows) expect(row[4]).toMatch(/\w/);
  });

  it('have a row for each error that a client can get, and no other', () => {
    const listed = rowsOf(sectionOf(page, 'Errors')).map((row) => codeOf(row[0]!));
    const sources = filesBelow('src/connection').filter((path) => !path.endsWith('/listener.ts'));
    const sent = sources.flatMap((path) =>
      [...textOf(path).matchAll(/#error\(\s*\w+,\s*'([A-Z_]+)'/g)].map((match) => match[1]!),
    );
    expect(listed.toSorted()).toEqual([...new Set(sent)].toSorted());
    for (const code of listed) expect(Object.keys(ERROR_CODES)).toContain(code);
  });

  it('have a row for each limit, with its default', () => {
    const rows = rowsOf(sectionOf(page, 'Limits')).map(([name, value]) => [codeOf(name!), value]);
    for (const [name, value] of rows) expect([name, value]).toEqual([name, String(findOption(name!)?.default)]);
    const limits = OPTIONS.filter(({ name }) => name.startsWith('limits.')).map(({ name }) => name);
    expect(rows.map(([name]) => name).toSorted()).toEqual(limits.toSorted());
  });
});
