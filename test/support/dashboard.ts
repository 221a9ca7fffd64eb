import { textOf } from '../docs/repository-files.ts';

export const DASHBOARD_FILE = 'config/grafana/tickcast.json';

/** What the tests look at of the classic JSON model of Grafana. */
export interface Dashboard {
  id: null;
  uid: string;
  title: string;
  schemaVersion: number;
  templating: { list: DashboardVariable[] };
  panels: DashboardPanel[];
}

export interface DashboardVariable {
  type: 'datasource' | 'query';
  name: string;
  query: string | { query: string };
}

export interface DashboardPanel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string; legendFormat: string }[];
  fieldConfig?: { defaults: { unit?: string } };
}

export const dashboard = JSON.parse(textOf(DASHBOARD_FILE)) as Dashboard;

/** Those that show something. */
export const chartPanels = dashboard.panels.filter(({ type }) => type !== 'row');

/** Every query, with the title of its panel. Variables have become what All stands for. */
export const dashboardExprs = chartPanels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, legend: legendFormat, expr: withoutVariables(expr) })),
);

function withoutVariables(expr: string): string {
  const ofVariables = dashboard.templating.list.reduce((text, { name }) => text.replaceAll(`$${name}`, '.+'), expr);
  return ofVariables.replaceAll('$__rate_interval', '1m');
}
