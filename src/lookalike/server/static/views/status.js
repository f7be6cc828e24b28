// To come.
export const Status = () => null;
