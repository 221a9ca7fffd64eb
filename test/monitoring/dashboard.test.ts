import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { chartPanels, type DashboardPanel, dashboard, dashboardExprs } from '../support/dashboard.ts';
import { promtool } from '../support/promtool.ts';

const GRID_WIDTH = 24;

function overlap({ gridPos: a }: DashboardPanel, { gridPos: b }: DashboardPanel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe('config/grafana/tickcast.json', () => {
  it('can be imported: it has no id of its own, and a version that Grafana knows', () => {
    expect(dashboard.id).toBeNull();
    expect(dashboard.uid).toBe('tickcast');
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(41);
  });

  it('asks where the figures come from, and of which instances and processes', () => {
    expect(dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'datasource: datasource',
      'instance: query',
      'process: query',
    ]);
    for (const { title, datasource } of chartPanels) {
      expect([title, datasource]).toEqual([title, { type: 'prometheus', uid: `$\{datasource}` }]);
    }
  });

  it('gives each panel an id of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lays the panels out row by row, within the grid and none over another', () => {
    const { panels } = dashboard;
    for (const { title, gridPos } of panels) {
      expect([title, gridPos.x + gridPos.w <= GRID_WIDTH, gridPos.h > 0]).toEqual([title, true, true]);
    }
    const pairs = panels.flatMap((panel, at) => panels.slice(at + 1).map((other) => [panel, other] as const));
    const over = pairs.filter(([panel, other]) => overlap(panel, other));
    expect(over.map(([panel, other]) => `${panel.title} and ${other.title}`)).toEqual([]);
    const places = panels.map(({ gridPos }) => gridPos.y * GRID_WIDTH + gridPos.x);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('begins with a row, and has no row without panels', () => {
    const types = dashboard.panels.map(({ type }) => type);
    expect(types[0]).toBe('row');
    expect(types.at(-1)).not.toBe('row');
    expect(types.filter((type, at) => type === 'row' && types[at + 1] === 'row')).toEqual([]);
  });

  it.each(chartPanels.map((panel) => [panel.title, panel] as const))(
    '%s says what it shows, in its unit',
    (_, panel) => {
      const { description, targets = [], fieldConfig } = panel;
      expect(description).toMatch(/\w+.*\.$/);
      expect(fieldConfig?.defaults.unit).toMatch(/^\w+$/);
      expect(targets.length).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      expect(targets.filter(({ legendFormat }) => legendFormat === '')).toEqual([]);
    },
  );

  it('names panels by what they show, once each', () => {
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('holds nothing but queries that Prometheus understands', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tickcast-dashboard-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'dashboard.yml');
    const rules = dashboardExprs.map(({ expr }, n) => ({ record: `panel:${n}`, expr }));
    writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(promtool('check', 'rules', file)).toContain(`${rules.length} rules found`);
  });
});
