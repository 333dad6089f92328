import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests that make network namespaces or look at a terminal: one after the other, on a machine that does nothing else. */
const ALONE = [
  'test/live/**/*.test.ts',
  'test/docs/**/*.test.ts',
  'test/tui/**/*.test.{ts,tsx}',
  'test/project/nodes.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: 'test/support/build.ts',
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
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
