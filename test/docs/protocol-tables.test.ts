import { describe, expect, it } from 'vitest';
import { findOption, OPTIONS } from '../../src/config/options.ts';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { PROTOCOL_VERSION } from '../../src/connection/websocket-proxy.ts';
import { textOfFrame, withTail } from '../../src/delivery/frame-tail.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { DROP_REASONS } from '../../src/telemetry/drop-reasons.ts';
import { ERROR_CODES } from '../../src/util/errors.ts';
import { codeOf, rowsOf, sectionOf } from './markdown.ts';
import { filesBelow, textOf } from './repository-files.ts';

const page = textOf('docs/protocol.md');
const EXAMPLE_FRAME = textFrame('{"seq":2,"prevSeq":1}');

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

  it('have a row for each reason of a gap, in their order, and no other', () => {
    const rows = rowsOf(sectionOf(page, 'Gaps'));
    expect(rows.map(([reason]) => codeOf(reason!))).toEqual(DROP_REASONS);
    for (const [, meaning] of rows) expect(meaning).toMatch(/\w{3}/);
  });

  it('have a row for each reason to refuse a resume, and no other', () => {
    const [, type] = /type ResumeRefusal =([^;]+);/.exec(textOf('src/delivery/resume.ts'))!;
    const known = [...type!.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]);
    const rows = rowsOf(sectionOf(page, 'Resuming'));
    expect(rows.map(([reason]) => codeOf(reason!))).toEqual(known);
    for (const [, meaning] of rows) expect(meaning).toMatch(/\w{3}/);
  });

  it('have a row for each field behind the payload of a data message, in their order', () => {
    const rows = rowsOf(sectionOf(page, 'seq and prevSeq')).flatMap(([fields]) => fields!.split(', ').map(codeOf));
    const tail = withTail(EXAMPLE_FRAME, 0, EXAMPLE_FRAME.length, {
      prevSeq: 1,
      merged: 1,
      snapshot: true,
      resumeSeq: 1,
    });
    expect(Object.keys(JSON.parse(textOfFrame(tail, 0, tail.length)) as object)).toEqual(rows);
  });

  it('have a row for each limit, with its default', () => {
    const rows = rowsOf(sectionOf(page, 'Limits')).map(([name, value]) => [codeOf(name!), value]);
    for (const [name, value] of rows) expect([name, value]).toEqual([name, String(findOption(name!)?.default)]);
    const limits = OPTIONS.filter(({ name }) => name.startsWith('limits.')).map(({ name }) => name);
    expect(rows.map(([name]) => name).toSorted()).toEqual(limits.toSorted());
  });
});
