// Links from pages to forms, shown to users who have the right. Forms and the registry of kinds load when the first link is opened.
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
  /** The project of the new object. Default: any of the viewer's projects. */
  readonly projectId?: string | undefined;
  /** As a button. Default: a link. */
  readonly look?: 'primary' | 'plain';
  readonly children: ReactNode;
}

export function CreateLink({ kind, presets, projectId, look, children }: CreateLinkProps) {
  const { viewer } = useLiveState();
  if (forbiddenBy(viewer, creatorRoles[kind], projectId) !== null) return null;
  return (
    <Link className={look === undefined ? 'form-link' : `form-link button ${look}`} href={newLink(kind, presets)}>
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
  /** The word for the changed object, if it differs from the shown one. */
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
