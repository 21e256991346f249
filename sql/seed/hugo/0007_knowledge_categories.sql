-- depends: 0006_knowledge_categories
-- The categories that the document names; operators add their own. Before the tables that refer to them, so that
-- undoing the chain finds them unused.
INSERT INTO knowledge_categories (category, description)
VALUES
('principles', 'What a domain rests on'),
('techniques', 'How to put a principle to use'),
('examples', 'A principle or technique seen in a case');
