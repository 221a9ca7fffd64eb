import { describe, expect, it } from 'vitest';
import { cpuSecondsOf, processUsage, residentMibOf, socketMemoryMibOf } from '../../perf/lib/process-usage.ts';

describe('processUsage', () => {
  it('reads CPU time behind a name with blanks and brackets', () => {
    const stat = '4242 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 75 0 0 20 0 11 0 100';
    expect(cpuSecondsOf(stat)).toBe(2.25);
  });

  it('reads resident memory', () => {
    expect(residentMibOf('Name:\tnode\nVmHWM:\t 99999 kB\nVmRSS:\t   2048 kB\nThreads:\t3\n')).toBe(2);
  });

  it('reads what the kernel holds for TCP sockets', () => {
    const text = 'sockets: used 13\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 512\nUDP: inuse 0 mem 9\n';
    expect(socketMemoryMibOf(text)).toBe(2);
    expect(socketMemoryMibOf('')).toBe(0);
  });

  it('counts a process that is not there as nothing', () => {
    expect([cpuSecondsOf(''), residentMibOf('')]).toEqual([0, 0]);
    expect(processUsage([])).toEqual({ cpuSeconds: 0, residentMib: 0 });
  });

  it.runIf(process.platform === 'linux')('sums over processes', () => {
    const one = processUsage([process.pid]);
    const two = processUsage([process.pid, process.pid]);
    expect(one.residentMib).toBeGreaterThan(1);
    expect(two.residentMib).toBeGreaterThan(one.residentMib * 1.5);
  });
});
