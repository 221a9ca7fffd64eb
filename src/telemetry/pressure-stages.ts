/**
 * What the gateway does, one further each time, while the process stays over memory.thresholdMb: at stage n the first n of
 * these are in force. Stage 0 is no pressure.
 */
export const PRESSURE_STEPS = [
  'trim', // batches are written out, what was kept for later is given back
  'conflate', // less may wait for a slow connection
  'shed', // the slowest connections are closed
  'refuse', // handshakes are answered with 503
] as const;

export type PressureStep = (typeof PRESSURE_STEPS)[number];

export type PressureStage = 0 | 1 | 2 | 3 | 4;

/** The stage from which a step is in force. */
export const STAGE_OF = { trim: 1, conflate: 2, shed: 3, refuse: 4 } as const satisfies Record<
  PressureStep,
  PressureStage
>;

export interface PressureState {
  stage: PressureStage;
  /** How often each step has been taken since the start. */
  steps: Record<PressureStep, number>;
}
