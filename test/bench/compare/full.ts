export async function full(): Promise<void> {}
