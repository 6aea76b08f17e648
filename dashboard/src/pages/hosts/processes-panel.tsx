// The processes that use the database, with their versions: during an upgrade, what is old still.
import { useCallback } from 'react';
import { HostsProcessesDocument, type HostsProcessesQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { useReading } from '../../view/use-reading.ts';

type Process = HostsProcessesQuery['processes']['nodes'][number];

const everyMs = 5_000;

export function ProcessesPanel() {
  const { requester } = useDependencies();
  const read = useCallback(async () => (await requester.request(HostsProcessesDocument, {})).processes, [requester]);
  const { value, failure } = useReading(read, undefined, everyMs);
  return (
    <Panel name="processes" title="Processes" summary={value && summaryOf(value)}>
      <ScrollRegion list="processes" label="Processes">
        <Failures failures={failure === null ? [] : [failure]} />
        <ul className="hosts">
          {value?.nodes.map((each) => (
            <li key={`${each.name} ${each.startedAt}`}>
              <ProcessItem process={each} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function summaryOf({ nodes, totalCount }: HostsProcessesQuery['processes']): string {
  const versions = new Set(nodes.filter(({ live }) => live).map(versionOf));
  const count = totalCount ?? nodes.length;
  return `${count} · ${versions.size > 1 ? `${versions.size} versions` : 'one version'}`;
}

/** Of processes of 0.2.0 only the name is known. */
function versionOf({ programVersion, commitHash }: Process): string {
  return programVersion === null ? '0.2.0' : [programVersion, commitHash?.slice(0, 8)].filter(Boolean).join(' ');
}

function ProcessItem({ process }: { readonly process: Process }) {
  const { name, hostName, roles, live } = process;
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        {hostName !== null && hostName !== name && <span className="dim">on {hostName}</span>}
        <code>{versionOf(process)}</code>
        {!live && <b data-status="SILENT">silent</b>}
      </span>
      {roles.length > 0 && <span className="line dim">{roles.join(' · ')}</span>}
    </>
  );
}
