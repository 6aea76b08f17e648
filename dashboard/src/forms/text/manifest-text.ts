// The object of a form as a document that `tidegate apply` takes.
import { registry } from '../../../../generated/kinds/registry.ts';
import { type Kind, kebab } from '../../../../schema/kinds/kind.ts';
import { type Deed, isShownObject, type Shown, type ShownObject, shownInput } from './shown.ts';
import { yamlOf } from './yaml.ts';

const inBalancers: Readonly<Record<string, string>> = {
  ...{ Pool: 'pools', Listener: 'listeners', PoolMember: 'members', PoolHealthMonitor: 'healthMonitor' },
  ...{ L7Policy: 'l7Policies', L7Rule: 'l7Rules' },
};

export function manifestText(deed: Deed): string {
  const { kind, verb } = deed;
  const fault = whyNot(deed);
  if (fault !== undefined) return `# ${fault}\n`;
  const shown = shownInput(deed);
  if (inBalancers[kind.type] !== undefined && verb !== 'update') return partText(deed, shown);
  const project = kind.scope === 'project' || kind.parent?.kind === 'Project' ? ' --project NAME' : '';
  return `# tidegate apply -f FILE${project}\n${yamlOf({ kind: kind.type, ...fieldsOf(deed, shown) })}`;
}

/** Undefined if a file can contain it. */
function whyNot({ kind: { type, noun, actions }, verb, object, input, kind }: Deed): string | undefined {
  if (verb === 'call') return 'A file describes objects, not actions.';
  const make = actions.create ?? actions.set ?? actions.update;
  if (make === undefined) return `A file can't have the kind ${type}.`;
  if (make.secrets !== undefined)
    return `A file can't have the kind ${type}: its secret is shown only once. See "tidegate ${noun} --help".`;
  if (verb === 'delete' || verb === 'remove')
    return `Remove its document from the file: tidegate apply --prune then deletes it.`;
  if (verb !== 'create' && verb !== 'set' && verb !== 'update') return `A file describes objects, not actions.`;
  if (object !== undefined && keyOf(kind) in input)
    return `A file finds a ${type} by its name, so it can't change the name.`;
  if (inBalancers[type] !== undefined && verb === 'update')
    return `A ${type} is written inside of its LoadBalancer: tidegate export -f FILE loadbalancers`;
  return undefined;
}

/** The part as a fragment of its parent's document. */
function partText({ kind, action, names }: Deed, fields: ShownObject): string {
  const { [kind.parent?.input ?? '']: _parent, ...given } = fields;
  if (kind.key.includes('name') && (given.name ?? '') === '')
    return `# Give it a name: tidegate apply finds a ${kind.type} by that.\n`;
  const inTree = Object.entries(given).map(([name, value]) => {
    const field = registry.inputs[action.input]?.fields.find((each) => each.name === name);
    // Pools of the same document are named.
    return field?.refersTo === 'Pool' ? [name.replace(/Id$/, ''), names?.get(String(value)) ?? value] : [name, value];
  });
  const others: ShownObject = Object.fromEntries(inTree);
  const name = inBalancers[kind.type] ?? '';
  const part = kind.parent?.has === 'one' ? others : [others];
  return `# A ${kind.type} is written inside of its ${kind.parent?.kind}, in the document of the LoadBalancer:\n${yamlOf({ [name]: part })}`;
}

function keyOf({ key, parent }: Kind): string {
  return key.find((each) => each !== parent?.input) ?? 'name';
}

function fieldsOf({ kind, object }: Deed, shown: ShownObject): ShownObject {
  const { projectId: _project, ...fields } = shown;
  const key = keyOf(kind);
  if (kind.type === 'AutoscalingPolicy') {
    const { loadBalancerId, policy } = fields;
    return { loadBalancer: loadBalancerId ?? object?.parentId ?? '', ...(isShownObject(policy) ? policy : {}) };
  }
  if (kind.type === 'Backend' && Array.isArray(fields.labels)) {
    const labels = fields.labels.filter(isShownObject).map(({ name, value }) => [String(name), value as Shown]);
    return { ...fieldsOfObject(kind, object, fields), labels: Object.fromEntries(labels) };
  }
  const named = fieldsOfObject(kind, object, fields);
  if (key !== 'kind') return named;
  const { kind: what = '', ...others } = named;
  return { [kebab(kind.singular)]: what, ...others };
}

function fieldsOfObject(kind: Kind, object: Deed['object'], fields: ShownObject): ShownObject {
  if (object === undefined) return fields;
  const parent = kind.parent === undefined ? {} : { [kind.parent.input]: object.parentId ?? '' };
  return { [keyOf(kind)]: object.name, ...parent, ...fields };
}
