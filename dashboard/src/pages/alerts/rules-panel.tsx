// The rules: what is watched, and whom they tell.
import { useCallback, useState } from 'react';
import { AlertsRulesDocument, type AlertsRulesQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { editLink } from '../../forms/links.ts';
import { formatDuration, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { Ago } from '../../view/time.tsx';
import { usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import { conditionWords } from './condition-words.ts';
import type { AlertControl } from './filters.ts';
import { SetupForm } from './setup-form.tsx';
import { everyMs, useNews } from './use-alerts.ts';

type Rule = AlertsRulesQuery['alertRules']['nodes'][number];

interface RulesPanelProps {
  readonly control: AlertControl;
  /** Who may create channels. */
  readonly isOperator: boolean;
}

export function RulesPanel({ control: { filters }, isOperator }: RulesPanelProps) {
  const { requester } = useDependencies();
  const { projectId } = filters;
  const text = useSettled(filters.text) || null;
  const readPage = useCallback(
    async (after: string | null) =>
      (await requester.request(AlertsRulesDocument, { projectId, text, after })).alertRules,
    [requester, projectId, text],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  // Open while there are no rules, and then until it is closed: it says what was made.
  const [isOpen, setOpen] = useState<boolean>();
  const isFirst = text === null && paged.page?.nodes.length === 0;
  return (
    <PagedPanel
      name="rules"
      title="Rules"
      paged={paged}
      none={text === null ? 'No rules yet.' : 'No rule matches.'}
      tools={<CreateLink kind="AlertRule">Add a rule</CreateLink>}
      keyOf={({ id }) => id}
      item={(rule) => <RuleItem rule={rule} />}
    >
      {isOperator && (
        <details
          className="alert-templates"
          open={isOpen ?? isFirst}
          onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
        >
          <summary>Tell me when…</summary>
          <SetupForm key={projectId} projectId={projectId} />
        </details>
      )}
    </PagedPanel>
  );
}

function RuleItem({ rule }: { readonly rule: Rule }) {
  const { id, name, condition, severity, enabled, channels, silent, project, checkedInAt } = rule;
  return (
    <>
      <span className="line" data-rule={name}>
        <Link className="name" href={editLink('AlertRule', id)} data-row={id}>
          {name}
        </Link>
        <span>when {conditionWords[condition]}</span>
        <b data-status={severity === 'CRITICAL' ? 'FAILED' : 'DRIFTED'}>{formatWord(severity)}</b>
        {!enabled && <b data-status="OFFLINE">disabled</b>}
        <span className="dim">{project === null ? 'of the installation' : `of ${project.name}`}</span>
      </span>
      <span className="line dim">
        <span>{timesOf(rule)}</span>
        {silent ? (
          <b
            data-status="DRIFTED"
            title="No enabled channel receives its alerts. Add one, or make a channel the default."
          >
            no channel
          </b>
        ) : (
          <span>
            {channels.length === 0 ? 'its alerts are sent' : `tells ${channels.map((each) => each.name).join(', ')}`}
          </span>
        )}
        {checkedInAt !== null && (
          <span>
            checked in <Ago at={checkedInAt} />
          </span>
        )}
      </span>
    </>
  );
}

function timesOf({ lastsMs, withinMs, repeatMs }: Rule): string {
  return [
    withinMs === null
      ? lastsMs === 0
        ? 'at once'
        : `after ${formatDuration(lastsMs)}`
      : `${formatDuration(withinMs)} before the end`,
    ...(repeatMs === null ? [] : [`again every ${formatDuration(repeatMs)}`]),
  ].join(', ');
}
