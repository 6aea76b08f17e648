// The exports of `@jest/globals` for test files. They belong to the running file and differ for each.
const key = Symbol.for('tidegate.jest-globals');

function named(name) {
  const own = () => {
    const found = globalThis[key]?.[name];
    if (found === undefined) throw new Error(`${name} is used outside of a test file`);
    return found;
  };
  return new Proxy(() => {}, {
    apply: (_target, self, words) => Reflect.apply(own(), self, words),
    get: (_target, property) => own()[property],
  });
}

export const afterAll = named('afterAll');
export const afterEach = named('afterEach');
export const beforeAll = named('beforeAll');
export const beforeEach = named('beforeEach');
export const describe = named('describe');
export const expect = named('expect');
export const it = named('it');
export const jest = named('jest');
export const test = named('test');
