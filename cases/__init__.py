"""Cases: types and their workflow, the life of a case, its documents, lists, bulk work and imports."""
