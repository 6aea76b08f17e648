// Links of a page to forms, for those who may use them. Neither the forms nor the registry of kinds is loaded before one is opened.
import type { ReactNode } from 'react';
import { useLiveState } from '../context.ts';
import { useMenu } from '../view/actions-menu.tsx';
import { Link } from '../view/link.tsx';
import { forbiddenBy } from '../view/permissions.ts';
import { editLink, newLink } from './links.ts';
import { type CreatableKind, creatorRoles, onlyEnds } from './roles.ts';

interface CreateLinkProps {
  readonly kind: CreatableKind;
  readonly presets?: Readonly<Record<string, string | undefined>>;
  /** Of the new object. Default: any of the viewer's. */
  readonly projectId?: string | undefined;
  readonly children: ReactNode;
}

export function CreateLink({ kind, presets, projectId, children }: CreateLinkProps) {
  const { viewer } = useLiveState();
  if (forbiddenBy(viewer, creatorRoles[kind], projectId) !== null) return null;
  return (
    <Link className="form-link" href={newLink(kind, presets)}>
      {children}
    </Link>
  );
}

/** For all who may see the object. */
export function HistoryLink({ kind, id }: Pick<EditLinkProps, 'kind' | 'id'>) {
  return (
    <Link className="form-link" href={editLink(kind, id)}>
      History
    </Link>
  );
}

interface EditLinkProps {
  readonly kind: CreatableKind;
  readonly id: string;
  readonly projectId?: string | undefined;
  /** The object's name, read out with the link where several links are alike. */
  readonly about?: string;
  /** What is changed, if it is not the object that is shown. */
  readonly word?: string;
}

export function EditLink({ kind, id, projectId, about, word }: EditLinkProps) {
  const { viewer } = useLiveState();
  const menu = useMenu();
  if (forbiddenBy(viewer, creatorRoles[kind], projectId) !== null) return null;
  const whole = onlyEnds[kind] ?? 'Change or delete';
  if (menu !== null)
    return (
      <Link href={editLink(kind, id)} role="menuitem" tabIndex={-1}>
        {whole}
      </Link>
    );
  return (
    <Link
      className="form-link"
      href={editLink(kind, id)}
      aria-label={about === undefined ? undefined : `${whole} ${about}`}
    >
      {about === undefined ? whole : (onlyEnds[kind] ?? 'Change')}
      {word === undefined ? '' : ` ${word}`}
    </Link>
  );
}
