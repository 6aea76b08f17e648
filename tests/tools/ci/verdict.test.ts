// Which runs pass CI. A file that fails among the others and passes alone is flaky. Any other failure fails the run.
import { describe, expect, it } from '@jest/globals';
import {
  type FileResult,
  filesOf,
  filesToRepeat,
  namesOfFailures,
  type SuiteResult,
  verdictOf,
} from '../../../tools/ci/verdict.ts';

const good = (path: string): FileResult => ({ path, passed: 2, failed: 0, skipped: 1, message: '' });
const bad = (path: string): FileResult => ({ path, passed: 1, failed: 1, skipped: 0, message: `${path} is wrong` });
const suite = (exitCode: number, ...files: FileResult[]): SuiteResult => ({ name: 'All', exitCode, files });

describe('verdict of CI', () => {
  it('adds up a run without failures', () => {
    const verdict = verdictOf([suite(0, good('a')), suite(0, good('b'))], new Map());
    expect(verdict).toEqual({ passed: 4, failed: 0, skipped: 2, flaky: [], failedFiles: [], faults: [] });
  });

  it('passes a file that passes alone, and names it with both results', () => {
    const verdict = verdictOf([suite(1, good('a'), bad('b'))], new Map([['b', good('b')]]));
    expect(verdict).toMatchObject({ passed: 4, failed: 0, failedFiles: [], faults: [] });
    expect(verdict.flaky).toEqual([{ path: 'b', first: bad('b'), alone: good('b') }]);
  });

  it.each<[string, FileResult | undefined]>([
    ['fails again', bad('b')],
    ['has no result', undefined],
    ['runs no test', { ...good('b'), passed: 0 }],
  ])('fails when the repeated file %s', (_, alone) => {
    expect(verdictOf([suite(1, good('a'), bad('b'))], new Map([['b', alone]]))).toMatchObject({
      failed: 1,
      flaky: [],
      failedFiles: [bad('b')],
    });
  });

  it('repeats at most three files, and a fourth fails the run', () => {
    const three = ['a', 'b', 'c'].map(bad);
    expect(filesToRepeat([suite(1, good('z'), ...three.slice(1)), suite(1, ...three.slice(0, 1))])).toHaveLength(3);
    expect(filesToRepeat([suite(1, ...three), suite(1, bad('d'))])).toEqual([]);
    expect(verdictOf([suite(1, ...three), suite(1, bad('d'))], new Map())).toMatchObject({ failed: 4 });
  });

  it('fails when one suite has no results, no tests, or a failure that belongs to no file', () => {
    const fine = suite(0, good('z'));
    const faultOf = (other: SuiteResult) => {
      const { passed, failed, faults } = verdictOf([fine, other], new Map());
      expect({ failed, faults }).toEqual({ failed: 1, faults: [expect.any(String)] });
      expect(passed).toBeGreaterThanOrEqual(2);
      return faults[0];
    };
    expect(faultOf({ name: 'All', exitCode: 137, files: undefined })).toBe(
      'All ended with exit code 137 and left no results.',
    );
    expect(faultOf(suite(0))).toBe('All: no test passed.');
    expect(faultOf(suite(1, good('a')))).toBe('All: all files passed, but it ended with exit code 1.');
  });

  it('names each failed file and its failed tests once', () => {
    const message = '\u001b[1m  ● \u001b[22ma › b\n\n    wrong\n';
    const plain = '  ● a › b\n\n    ● not a title of Jest\n  ● a › c\n\n  ● a › b\n';
    expect(namesOfFailures([{ ...bad('x'), message: plain }, bad('y')])).toEqual([
      ...['FAILED x', '  ● a › b', '  ● a › c', 'FAILED y'],
    ]);
    expect(namesOfFailures([{ ...bad('z'), message }])).toEqual(['FAILED z', '  ● a › b']);
  });

  it('counts a file that could not run as one failure', () => {
    const testResults = [
      { name: '/x/a', status: 'failed', message: 'no such module', assertionResults: [] },
      {
        ...{ name: '/x/b', status: 'passed', message: '' },
        assertionResults: [{ status: 'passed' }, { status: 'pending' }, { status: 'todo' }],
      },
    ];
    expect(filesOf({ testResults }, (path) => path.slice(3))).toEqual([
      { path: 'a', passed: 0, failed: 1, skipped: 0, message: 'no such module' },
      { path: 'b', passed: 1, failed: 0, skipped: 2, message: '' },
    ]);
  });
});
