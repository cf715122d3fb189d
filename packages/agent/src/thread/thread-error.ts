/**
 * - `not_found`: there is none.
 * - `unreadable`: this version cannot read it.
 * - `unwritable`: the system refuses it.
 * - `in_use`: another process writes it.
 * - `no_server`: nobody said which model server it goes on with.
 */
export type ThreadProblem = 'not_found' | 'unreadable' | 'unwritable' | 'in_use' | 'no_server';

/** A thread cannot be gone on with: one line for the person. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError';
  readonly problem: ThreadProblem;

  constructor(message: string, problem: ThreadProblem) {
    super(message);
    this.problem = problem;
  }
}
