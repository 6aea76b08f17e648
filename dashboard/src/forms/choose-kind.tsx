// All that can be created, for an address that names nothing.
import { registry } from '../../../generated/kinds/registry.ts';
import { useLiveState } from '../context.ts';
import { Link } from '../view/link.tsx';
import { forbiddenBy } from '../view/permissions.ts';
import { makingVerb } from './form-address.ts';
import { newLink } from './links.ts';
import { titleOfAction } from './new-form.tsx';

export function ChooseKind() {
  const { viewer } = useLiveState();
  const kinds = Object.values(registry.kinds).flatMap((kind) => {
    const verb = makingVerb(kind);
    return verb === undefined || forbiddenBy(viewer, kind.actions[verb]?.role ?? '') !== null ? [] : [{ kind, verb }];
  });
  return (
    <section className="form-page" aria-labelledby="form-title">
      <h2 id="form-title">Create</h2>
      <ul className="form-kinds">
        {kinds.map(({ kind, verb }) => (
          <li key={kind.type}>
            <Link href={newLink(kind.type)}>{titleOfAction(kind, verb)}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
