/** What a scrape tells of one metric. */
export interface ExposedMetric {
  type: string;
  labels: Set<string>;
  /** By name with labels, as exposed. */
  samples: Map<string, number>;
}

/** The Prometheus text format, as far as the gateway uses it. Throws on a line that it does not know, and on a repeated one. */
export function parseExposition(text: string): Map<string, ExposedMetric> {
  const exposed = new Map<string, ExposedMetric>();
  let current: ExposedMetric | undefined;
  for (const line of text.split('\n')) {
    const help = /^# HELP (\S+) .+$/.exec(line);
    const type = /^# TYPE \S+ (counter|gauge|histogram|summary)$/.exec(line);
    const sample = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (help) {
      if (exposed.has(help[1]!)) throw new Error(`${help[1]} is exposed twice`);
      current = { type: '', labels: new Set(), samples: new Map() };
      exposed.set(help[1]!, current);
    } else if (type) current!.type = type[1]!;
    else if (sample) addSample(current!, line, sample);
    else if (line !== '') throw new Error(`not the exposition format: ${line}`);
  }
  return exposed;
}

function addSample({ labels, samples }: ExposedMetric, line: string, [, , list = '', value]: RegExpExecArray): void {
  for (const [, label] of list.matchAll(/([a-z_]+)="(?:[^"\\]|\\.)*"/g)) labels.add(label!);
  const name = line.slice(0, line.lastIndexOf(' '));
  if (samples.has(name)) throw new Error(`${name} is exposed twice`);
  samples.set(name, Number(value));
}
