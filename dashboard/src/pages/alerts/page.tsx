// The page of alerts: what needs attention now and since when, what has fired before, the rules, and the channels that tell people.
import { useCallback } from 'react';
import { useLiveState } from '../../context.ts';
import { containsWords } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { AlertDrawer } from './alert-drawer.tsx';
import { AlertItem } from './alert-item.tsx';
import { BrowserSwitch } from './browser-switch.tsx';
import { ChannelDrawer } from './channel-drawer.tsx';
import { ChannelsPanel } from './channels-panel.tsx';
import { type AlertControl, filterFormat } from './filters.ts';
import { alertType, channelType, subjects } from './kinds.ts';
import { RulesPanel } from './rules-panel.tsx';
import { type Alert, useAlerts } from './use-alerts.ts';
import './alerts.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'alerts',
    groups: [
      {
        does: 'Open alerts, history, rules, channels, changes',
        focus: {
          1: '[data-list="alerts"]',
          2: '[data-list="resolved"]',
          3: '[data-list="rules"]',
          4: '[data-list="channels"]',
          5: '[data-list="changes"]',
        },
      },
    ],
  },
  Content: AlertsPage,
};

const open: readonly Alert['alertState'][] = ['FIRING', 'ACKNOWLEDGED'];
const resolved: readonly Alert['alertState'][] = ['RESOLVED'];

function AlertsPage() {
  const control = useFilters(filterFormat);
  const { viewer } = useLiveState();
  const isOperator = viewer?.admin === true || viewer?.projects.some(({ role }) => role === 'OPERATOR') === true;
  return (
    <PageFrame
      control={control}
      className="alerts"
      waitingFor="alerts"
      strips={<BrowserSwitch />}
      drawer={<OpenDrawer control={control} />}
    >
      <div className="column">
        <OpenAlerts control={control} />
        <History control={control} />
      </div>
      <div className="column">
        <RulesPanel control={control} isOperator={isOperator} />
        {isOperator && <ChannelsPanel control={control} />}
        <FeedPanel control={control} />
      </div>
    </PageFrame>
  );
}

function OpenAlerts({ control }: { readonly control: AlertControl }) {
  const { projectId, text } = control.filters;
  const paged = useAlerts(projectId, open);
  useAreaTitle('alerts');
  return (
    <PagedPanel
      name="alerts"
      title="Open alerts"
      paged={narrowed(paged, text)}
      none={text === '' ? 'No open alerts.' : 'No open alert matches the filter.'}
      keyOf={({ id }) => id}
      item={(alert) => <AlertItem alert={alert} />}
    />
  );
}

function History({ control }: { readonly control: AlertControl }) {
  const { projectId, text } = control.filters;
  const paged = useAlerts(projectId, resolved);
  return (
    <PagedPanel
      name="resolved"
      title="Resolved in 30 days"
      paged={narrowed(paged, text)}
      none={text === '' ? 'No alerts resolved in 30 days.' : 'No resolved alert matches the filter.'}
      keyOf={({ id }) => id}
      item={(alert) => <AlertItem alert={alert} />}
    />
  );
}

/** The graph has no search for alerts: the filter narrows what was read. */
function narrowed(paged: ReturnType<typeof useAlerts>, text: string): ReturnType<typeof useAlerts> {
  if (paged.page === undefined || text === '') return paged;
  const nodes = paged.page.nodes.filter(
    ({ ruleName, condition, severity, subjectName, subjectType, status, reason, project }) =>
      containsWords(text, [ruleName, condition, severity, subjectName, subjectType, status, reason, project?.name]),
  );
  return { ...paged, page: { ...paged.page, nodes } };
}

function OpenDrawer({ control: { filters, change } }: { readonly control: AlertControl }) {
  const onClose = useCallback(() => change({ open: null }), [change]);
  switch (filters.open?.type) {
    case alertType.typename:
      return <AlertDrawer id={filters.open.id} onClose={onClose} />;
    case channelType.typename:
      return <ChannelDrawer key={filters.open.id} id={filters.open.id} onClose={onClose} />;
    default:
      return null;
  }
}
