import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that make network namespaces or look at a terminal: one after the other, on a machine that does nothing else. */
const ALONE = ['test/live/**/*.test.ts', 'test/tui/**/*.test.{ts,tsx}', 'test/project/nodes.test.ts'];
/** Tests that make a fault and cure it, or a firewall and try it: mostly they wait, each in namespaces of its own. */
const CURES = ['test/live/{cures,firewalls}/**/*.test.ts'];
/** Tests in a kernel of their own: it works while others wait, and the tests here wait for it. */
const KERNEL = ['test/live/kernel/*.test.ts'];
/** Pages whose commands are run: mostly they wait, each in namespaces that nobody else sees. */
const PAGES = ['test/docs/**/*.test.ts'];

/**
 * Tests that change nothing outside themselves share the modules that they import: to load the program anew for each file
 * takes as long as the tests.
 */
const PURE = ['rules', 'network', 'wire', 'findings'].map((folder) => `test/${folder}/**/*.test.ts`);

/** Files at once where one of them waits for a kernel of its own. */
const WAITING = Math.max(3, availableParallelism());

/** Files that take minutes: begun last, they would keep one core busy when the others have nothing left to do. */
const LONG = /\/test\/(hostile|fuzz|live\/kernel)\//;

/** The order of vitest, but what takes long first. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ({ moduleId, project }: TestSpecification) =>
      2 * project.config.sequence.groupOrder + Number(!LONG.test(moduleId));
    return (await super.sort(files)).sort((a, b) => order(a) - order(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/scratch.ts', 'test/support/build.ts'],
    sequence: { sequencer: LongFirst },
    // Tests that pack, install or run the built program start several Node processes on two slow cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two cores vitest would use one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...ALONE, ...CURES, ...KERNEL, ...PAGES, ...PURE],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'pure', include: PURE, isolate: false, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'pages', include: PAGES, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          exclude: [...CURES, ...KERNEL],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        // All tests of a file run at once, and what busy kernels do meanwhile may spoil one: it is built anew, once.
        test: {
          name: 'cures',
          include: CURES,
          maxConcurrency: 12,
          retry: 1,
          maxWorkers: WAITING,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: { name: 'kernel', include: KERNEL, maxWorkers: WAITING, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
