import { valueAt } from '../config/cross-checks.ts';
import { OPTIONS } from '../config/options.ts';
import type { Config } from '../config/schema.ts';

/** Something about the source that is allowed and hardly meant. */
export interface SourceHint {
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/**
 * What looks like a mistake: invented data in production, and options of a source that is not the one.
 * @param nodeEnv NODE_ENV, which pm2 sets to `production`
 */
export function sourceHints(config: Config, nodeEnv: string | undefined): SourceHint[] {
  return [simulatorHint(config, nodeEnv), otherKindHint(config)].filter((hint) => hint !== undefined);
}

function simulatorHint({ source }: Config, nodeEnv: string | undefined): SourceHint | undefined {
  if (source.kind !== 'simulator' || nodeEnv !== 'production') return undefined;
  return {
    message: 'The source is the simulator: clients get invented data; set source.kind',
    fields: { 'source.kind': source.kind, NODE_ENV: nodeEnv },
  };
}

function otherKindHint(config: Config): SourceHint | undefined {
  const { kind } = config.source;
  const unused = OPTIONS.filter((option) => {
    const [section, other, ...rest] = option.name.split('.');
    if (section !== 'source' || rest.length === 0 || other === kind) return false;
    return String(valueAt(config, option.name)) !== String(option.default);
  });
  if (unused.length === 0) return undefined;
  return {
    message: 'Source options have no effect: they are of another source.kind',
    fields: { options: unused.map(({ name }) => name), 'source.kind': kind },
  };
}
