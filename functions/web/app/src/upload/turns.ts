let before: Promise<unknown> = Promise.resolve();

/**
 * Runs work when all that came before it has ended, in every tab where the browser can tell. The first upload of a new browser is
 * answered with the cookie that says whose it is: one that is sent beside it would be another visitor's, and lost to the student.
 * Work must be short: all the others wait for it.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const locks = navigator.locks as LockManager | undefined; // older browsers have none
  if (locks) return locks.request("schedgen send", work) as Promise<T>;
  const own = before.then(work);
  before = own.catch(() => undefined);
  return own;
}
