/**
 * Files that were picked and not read yet, kept in IndexedDB by their upload's id, so that a reload sends them after all. Where the
 * browser keeps nothing, memory alone has them.
 */
const memory = new Map<string, File>();

function open(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const asked = indexedDB.open("schedgen", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("files");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
}

/** Runs one request in a transaction of its own, to the transaction's end; undefined where the browser refuses. */
async function request<T>(mode: IDBTransactionMode, make: (files: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
    const database = await open();
    try {
      return await new Promise<T>((done, failed) => {
        const transaction = database.transaction("files", mode);
        const asked = make(transaction.objectStore("files"));
        transaction.oncomplete = () => done(asked.result); // only now is it written
        transaction.onabort = transaction.onerror = () => failed(transaction.error);
      });
    } finally {
      database.close();
    }
  } catch {
    return undefined; // private windows of some browsers
  }
}

export async function keepFile(id: string, file: File): Promise<void> {
  memory.set(id, file);
  await request("readwrite", (files) => files.put(file, id));
}

export async function keptFile(id: string): Promise<File | undefined> {
  return memory.get(id) ?? ((await request("readonly", (files) => files.get(id))) as File | undefined);
}

export async function forgetFile(id: string): Promise<void> {
  memory.delete(id);
  await request("readwrite", (files) => files.delete(id));
}

export async function forgetFiles(): Promise<void> {
  memory.clear();
  await request("readwrite", (files) => files.clear());
}
