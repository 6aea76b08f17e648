// The drawer of an entity: its title and details, or the reason why they are missing.
import type { ReactNode } from 'react';
import { Drawer } from './drawer.tsx';
import type { Opened } from './use-opened.ts';

interface OpenedDrawerProps<Entity> {
  readonly id: string;
  /** The title while there is no entity, for example Member. */
  readonly what: string;
  readonly opened: Pick<Opened<Entity, unknown>, 'entity' | 'instead'>;
  readonly onClose: () => void;
  readonly title: (entity: Entity) => ReactNode;
  readonly children: (entity: Entity) => ReactNode;
}

export function OpenedDrawer<Entity>({ id, what, opened, onClose, title, children }: OpenedDrawerProps<Entity>) {
  const { entity, instead } = opened;
  return (
    <Drawer id={id} title={entity === undefined ? what : title(entity)} onClose={onClose}>
      {entity === undefined ? <p className="dim">{instead}</p> : children(entity)}
    </Drawer>
  );
}
