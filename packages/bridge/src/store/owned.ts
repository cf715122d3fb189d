import { ownItemId, type ResponseStore } from './store.ts';

/** What one caller keeps in a store of all: nobody reads, continues, refers to or deletes another one's responses. */
export function ownedBy(owner: string | undefined, store: ResponseStore): ResponseStore {
  const get: ResponseStore['get'] = async (id) => {
    const record = await store.get(id);
    return record?.owner === owner ? record : undefined;
  };
  return {
    put: (record) => store.put(owner === undefined ? record : { ...record, owner }),
    get,
    delete: async (id) => (await get(id)) !== undefined && (await store.delete(id)),
    item: async (id) => {
      const known = ownItemId(owner, id);
      return known === undefined ? undefined : await store.item(known);
    },
    close: () => Promise.resolve(), // it is not theirs
  };
}
