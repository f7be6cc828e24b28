// To come.
export const ProofView = () => null;
