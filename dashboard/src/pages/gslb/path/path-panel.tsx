// The path from one GSLB name to what it answers. Members open their drawer, load balancers their page.
import { useMemo } from 'react';
import { useEntities } from '../../../context.ts';
import { linkTo } from '../../../links.ts';
import { go } from '../../../route.ts';
import { Panel } from '../../../view/panel.tsx';
import { PathPicture } from '../../../view/path/path-picture.tsx';
import { ScrollRegion } from '../../../view/scroll-region.tsx';
import type { NameControl } from '../filters.ts';
import { type Member, memberKind } from '../kinds/member.ts';
import type { Name } from '../kinds/name.ts';
import { OperatingBadge } from '../marks.tsx';
import type { NameDetails } from '../use-name.ts';
import { namePath } from './name-path.ts';

interface PathPanelProps {
  readonly name: Name;
  readonly details: NameDetails;
  readonly control: NameControl;
}

export function PathPanel({ name, details, control }: PathPanelProps) {
  const members = useEntities(memberKind);
  const path = useMemo(() => namePath({ name, details, members }), [name, details, members]);
  return (
    <Panel name="path" title="Path of an answer" summary="checks of all vantage points, fastest to slowest">
      <ScrollRegion label="Path of an answer">
        <PathPicture
          label={`Path from ${name.fqdn}`}
          path={path}
          badge={(status) => <OperatingBadge status={status as Member['operatingStatus']} />}
          onOpen={({ type, id }) =>
            type === memberKind.typename ? control.change({ open: { type, id } }) : go(linkTo(type, id) ?? '/')
          }
        />
      </ScrollRegion>
    </Panel>
  );
}
