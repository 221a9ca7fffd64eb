import { describe, expect, it } from 'vitest';
import { parsePerf, parseStrace } from '../../../perf/profile/system-calls.ts';

describe('system calls', () => {
  it('counted by perf are those it names, and the others are the rest of all', () => {
    const text = ['30,,syscalls:sys_enter_write,2,100.00,,', '5,,syscalls:sys_enter_read,2,100.00,,'];
    text.push('40,,raw_syscalls:sys_enter,2,100.00,,');
    expect([...parsePerf(text.join('\n'))]).toEqual([
      ['write', 30],
      ['read', 5],
      ['other', 5],
    ]);
  });

  it('are none where a thread has slept all the time', () => {
    const text = '<not counted>,,syscalls:sys_enter_write,0,100.00,,\n<not counted>,,raw_syscalls:sys_enter,0,100.00,,';
    expect([...parsePerf(text)]).toEqual([
      ['write', 0],
      ['other', 0],
    ]);
  });

  it('are unknown where perf may not look', () => {
    expect(parsePerf('event syntax error: unknown tracepoint').size).toBe(0);
    expect(parsePerf('<not supported>,,raw_syscalls:sys_enter,0,100.00,,').size).toBe(0);
  });

  it('counted by strace are read from its table, with and without errors', () => {
    const text = `
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.00    0.000030           3        10           write
 20.00    0.000008           2         4         1 read
  5.00    0.000002           1         2           clock_gettime
------ ----------- ----------- --------- --------- ----------------
100.00    0.000040           2        16         1 total`;
    expect([...parseStrace(text)]).toEqual([
      ['write', 10],
      ['read', 4],
      ['other', 2],
    ]);
  });
});
