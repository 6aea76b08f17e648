// Answers by region: a card for each region with its clients, their answer, and what its vantage points see.

import { useMemo } from 'react';
import { useEntities } from '../../../context.ts';
import { Icon, shapes } from '../../../view/icons.tsx';
import { Panel } from '../../../view/panel.tsx';
import { Failures } from '../../../view/refusal.tsx';
import { ScrollRegion } from '../../../view/scroll-region.tsx';
import { Skeleton } from '../../../view/skeleton.tsx';
import { memberKind } from '../kinds/member.ts';
import type { NameDetails } from '../use-name.ts';
import { type RegionAnswer, regionAnswers } from './region-answers.ts';
import { useAnswers } from './use-answers.ts';
import './regions.css';

interface RegionsPanelProps {
  readonly details: NameDetails;
}

export function RegionsPanel({ details }: RegionsPanelProps) {
  const entities = useEntities(memberKind);
  const members = useMemo(
    () =>
      details.pools.flatMap(({ memberIds }) =>
        memberIds.flatMap((id) => {
          const member = entities.get(id);
          return member === undefined ? [] : [{ ...member, votes: details.votes.get(id) ?? [] }];
        }),
      ),
    [details, entities],
  );
  const serving = members.filter((member) => member.serving).map(({ id }) => id);
  const { value, failure } = useAnswers(details.id, `${details.version} ${serving.join(' ')}`);
  const regions = useMemo(() => (value === undefined ? undefined : regionAnswers(value, members)), [value, members]);
  return (
    <Panel name="regions" title="Answers by region" summary="the answer for clients of each region">
      <ScrollRegion label="Answers by region">
        {failure !== null && <Failures failures={[failure]} />}
        {regions === undefined && failure === null && <Skeleton />}
        <ul className="regions">
          {regions?.map((each) => (
            <li key={each.region ?? ''}>
              <RegionCard {...each} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function RegionCard({ region, clients, answer, members, points }: RegionAnswer) {
  return (
    <>
      <h3>{region ?? 'All other clients'}</h3>
      <p className="dim">{clients}</p>
      {answer !== null && (
        <p>
          get <code>{answer}</code>
          {members.length > 0 && <span className="dim"> ({members.join(', ')})</span>}
        </p>
      )}
      <ul aria-label={`Vantage points of ${region ?? 'no region'}`}>
        {points.map(({ name, up, of, isAbsent }) => (
          <li key={name} className={`line tone-${isAbsent ? 'calm' : up === of ? 'good' : up === 0 ? 'bad' : 'warn'}`}>
            <Icon
              path={isAbsent ? shapes.question : up === of ? shapes.check : up === 0 ? shapes.cross : shapes.half}
            />
            <span>
              {name} sees {up} of {of} up{isAbsent && ', but is not connected now'}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
