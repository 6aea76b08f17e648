// Which object types an abstract type of the supergraph has, inaccessible ones included, and which names an object may have as its
// `__typename` although they are no object types: a subgraph with an @interfaceObject calls its objects by the interface.
import type { DocumentNode, InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode } from 'graphql';

export class PossibleTypes {
  readonly #of = new Map<string, Set<string>>();
  readonly #objects = new Set<string>();
  readonly #interfaceObjects = new Set<string>();
  /** By coordinate (`Thing.name`): where a subgraph's type of the field differs from the supergraph's. */
  readonly #variants = new Map<string, string>();

  constructor({ definitions }: DocumentNode) {
    for (const definition of definitions) {
      const { kind } = definition;
      if (kind === 'UnionTypeDefinition')
        for (const member of definition.types ?? []) this.#add(definition.name.value, member.name.value);
      if (kind !== 'ObjectTypeDefinition' && kind !== 'InterfaceTypeDefinition') continue;
      this.#noteVariants(definition);
      if (kind === 'InterfaceTypeDefinition') {
        const isInSome = (definition.directives ?? []).some((directive) =>
          directive.arguments?.some(({ name }) => name.value === 'isInterfaceObject'),
        );
        if (isInSome) this.#interfaceObjects.add(definition.name.value);
        continue;
      }
      this.#objects.add(definition.name.value);
      for (const { name } of definition.interfaces ?? []) this.#add(name.value, definition.name.value);
    }
  }

  isObject(name: string): boolean {
    return this.#objects.has(name);
  }

  isInterfaceObject(name: string): boolean {
    return this.#interfaceObjects.has(name);
  }

  /** Whether an object with this `__typename` fulfils the condition. */
  fits(condition: string, typename: unknown): boolean {
    return condition === typename || this.#of.get(condition)?.has(typename as string) === true;
  }

  /** The same text for fields whose type is the same in each subgraph. */
  variantsOf(coordinate: string): string {
    return this.#variants.get(coordinate) ?? '';
  }

  #add(abstract: string, object: string): void {
    const known = this.#of.get(abstract) ?? new Set();
    known.add(object);
    this.#of.set(abstract, known);
  }

  #noteVariants({ name, fields }: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode): void {
    for (const field of fields ?? []) {
      const variants = (field.directives ?? []).flatMap((directive) => {
        const values = (directive.arguments ?? []).flatMap(({ name: { value: argument }, value }) =>
          argument === 'graph' || argument === 'type' ? [`${argument}=${'value' in value ? value.value : ''}`] : [],
        );
        return directive.name.value === 'join__field' && values.length > 1 ? [values.join()] : [];
      });
      if (variants.length > 0) this.#variants.set(`${name.value}.${field.name.value}`, variants.join(';'));
    }
  }
}
