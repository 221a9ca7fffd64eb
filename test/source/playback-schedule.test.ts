import { describe, expect, it } from 'vitest';
import { PlaybackSchedule } from '../../src/source/playback-schedule.ts';

const START_US = 1_700_000_000_000_000;
const RECORDED_US = 1_600_000_000_000_000;
const SECOND_US = 1_000_000;

/** Due times, from the start, of messages at the recorded times given (s), each asked for in time. */
function dues(speed: number, recordedSeconds: number[]): number[] {
  const schedule = new PlaybackSchedule(speed, START_US);
  let nowUs = START_US;
  return recordedSeconds.map((second) => {
    nowUs = schedule.dueUs(RECORDED_US + second * SECOND_US, nowUs);
    return nowUs - START_US;
  });
}

describe('PlaybackSchedule', () => {
  it('keeps the recorded distances at speed 1', () => {
    expect(dues(1, [5, 5.25, 7])).toEqual([0, 250_000, 2_000_000]);
  });

  it('divides them by the speed', () => {
    expect(dues(10, [5, 5.25, 7])).toEqual([0, 25_000, 200_000]);
    expect(dues(0.5, [5, 6])).toEqual([0, 2_000_000]);
  });

  it('gives way to nothing where it is in step with others', () => {
    const schedule = new PlaybackSchedule(2, START_US, true);
    const late = START_US + 3_600 * SECOND_US;
    const due = (second: number) => schedule.dueUs(RECORDED_US + second * SECOND_US, late) - START_US;
    expect([due(0), due(1), due(3)]).toEqual([0, 500_000, 1_500_000]);
    schedule.beginAgain(late);
    expect([schedule.positionUs - START_US, due(0), due(1)]).toEqual([2_250_000, 2_250_000, 2_750_000]);
    schedule.skip(20 * SECOND_US);
    expect(due(2)).toBe(13_250_000);
    expect(schedule.elapsedUs).toBe(26_500_000);
  });

  it('never goes backwards, and goes on from a time that lies back', () => {
    expect(dues(1, [5, 4, 4.5])).toEqual([0, 0, 500_000]);
  });

  it('shortens a pause of years to an hour, and is not thrown off by it', () => {
    expect(dues(1, [0, 1e9, 1, 2])).toEqual([0, 3_600_000_000, 3_600_000_000, 3_601_000_000]);
  });

  it('slows down rather than hurry when it is more than a second behind', () => {
    const schedule = new PlaybackSchedule(1, START_US);
    schedule.dueUs(RECORDED_US, START_US);
    const nowUs = START_US + 10 * SECOND_US;
    expect(schedule.dueUs(RECORDED_US + SECOND_US, nowUs)).toBe(nowUs - SECOND_US);
    expect(schedule.dueUs(RECORDED_US + 2 * SECOND_US, nowUs)).toBe(nowUs);
  });

  it('does not wait for a clock that was set back', () => {
    const schedule = new PlaybackSchedule(1, START_US);
    schedule.dueUs(RECORDED_US, START_US);
    const nowUs = START_US - 3_600 * SECOND_US;
    expect(schedule.dueUs(RECORDED_US + SECOND_US, nowUs)).toBe(nowUs + SECOND_US);
  });

  it('begins again after the mean pause between two messages', () => {
    const schedule = new PlaybackSchedule(2, START_US);
    for (const second of [0, 1, 4])
      schedule.dueUs(RECORDED_US + second * SECOND_US, START_US + (second * SECOND_US) / 2);
    schedule.beginAgain(START_US + 2 * SECOND_US);
    expect(schedule.dueUs(RECORDED_US, START_US + 2 * SECOND_US)).toBe(START_US + 3 * SECOND_US);
  });

  it('begins a recording of one message again after a second', () => {
    const schedule = new PlaybackSchedule(1, START_US);
    schedule.dueUs(RECORDED_US, START_US);
    schedule.beginAgain(START_US);
    expect(schedule.dueUs(RECORDED_US, START_US)).toBe(START_US + SECOND_US);
  });
});
